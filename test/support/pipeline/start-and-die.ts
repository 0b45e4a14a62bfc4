import { readFileSync } from 'node:fs';
import { processExecutor } from '../../../shared/executors/process/process.ts';

/** A host that starts one attempt, says its handle, and dies as by a power cut. Stdin: `{ options, spec }`. */
const { options, spec } = JSON.parse(readFileSync(0, 'utf8'));
const handle = await processExecutor({ ...options, ended: () => {} }).start(spec);
process.stdout.write(handle, () => process.kill(process.pid, 'SIGKILL'));
