import { z } from 'zod';
import { jobPath, runnableJob } from '../find.ts';
import type { Here } from '../here.ts';
import { runningHost } from '../host/lock.ts';
import { printJson } from '../json.ts';

const shape = z.object({ job: z.string(), path: z.string(), key: z.string() });

/** `lamp ping-key`: the key of an external job, and how its runs are reported with it. */
export async function showPingKey(here: Here, name: string, { json }: { json?: boolean }): Promise<void> {
  const client = await here.connect();
  const { job, path, key } = await client.get(jobPath(await runnableJob(client, name), '/ping-key'), shape);
  const base = client.remote ? client.place : (await runningHost(here.home.state))?.url;
  const address = new URL(path, base ?? 'http://127.0.0.1:7070').href;
  if (json) return printJson({ job, address, key });
  console.log(key);
  console.error(examples(job, address));
}

/** On stderr: the key alone can be piped into a secret store. */
function examples(job: string, address: string): string {
  const curl = (kind: string, body: string) =>
    `curl -fsS -m 10 --retry 5 --retry-all-errors -X POST ${address}/${kind} -H "authorization: Bearer $PING_KEY" -H "content-type: application/json" -d ${body}`;
  const run = (name: string, rest = '') => `'{"run":"${name}"${rest}}'`;
  const github = run(`\${{ github.run_id }}-\${{ github.run_attempt }}`);
  return `
That is the key of ${job}: keep it as a secret, and give it to nothing else.

GitHub Actions, with the key as the secret PING_KEY:
  env: { PING_KEY: "\${{ secrets.PING_KEY }}" }
  - run: |
      ${curl('start', github)}
  # the work
  - run: |
      ${curl('success', github)}
  - if: failure() || cancelled()
    run: |
      ${curl('fail', github)}

A laptop or a server, around a script:
  export PING_KEY=…; RUN=$(date +%s)-$$
  ${curl('start', `"{\\"run\\":\\"$RUN\\"}"`)}
  python report.py; CODE=$?
  ${curl('success', `"{\\"run\\":\\"$RUN\\",\\"exitCode\\":$CODE}"`)}   # an exit code other than 0 counts as a failure`;
}
