import { readFileSync } from 'node:fs';
import { containerAppsExecutor } from '../../../shared/executors/container-apps/container-apps.ts';
import { job } from '../pipeline/cast.ts';

/** A host that starts one attempt, says its handle, and dies as by a power cut. Stdin: `{ options, token, ticket, spec }`. */
const { options, token, ticket, spec } = JSON.parse(readFileSync(0, 'utf8'));
const executor = containerAppsExecutor({
  ...options,
  credential: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
  jobs: (name) => job(name),
  ticket: async () => ticket,
});
const handle = await executor.start(spec);
process.stdout.write(handle, () => process.kill(process.pid, 'SIGKILL'));
