import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPython } from '../../shared/executors/process/python.ts';
import { minute, second } from '../../shared/instant.ts';
import { median, quantile, seconds } from './figures.ts';
import { bareStamps, script } from './world.ts';

/**
 * The lag of (a) by supercronic, which keeps no history, for comparison: `node test/bench/peer.ts <supercronic> [jobs]`.
 * All of its jobs run at once.
 */
const [supercronic, count = '100'] = process.argv.slice(2);
if (supercronic === undefined) throw new Error('expected the path of supercronic');
const folder = await mkdtemp(join(tmpdir(), 'lamp-peer-'));
const python = await findPython();
await writeFile(join(folder, 'job.py'), script);
const line = `* * * * * cd ${folder} && ${python} job.py`;
await writeFile(join(folder, 'crontab'), `${Array(Number(count)).fill(line).join('\n')}\n`);
const rounds: number[][] = [];
for (let round = 0; round < 3; round++) {
  const file = join(folder, `metrics-${round}`);
  await sleep(minute - (Date.now() % minute) - 5 * second);
  const due = Math.ceil(Date.now() / minute) * minute;
  const child = spawn(supercronic, [join(folder, 'crontab')], {
    env: { PATH: process.env.PATH, JOB_METRICS: file },
    stdio: 'ignore',
  });
  await sleep(due - Date.now() + 40 * second);
  child.kill('SIGTERM');
  const stamps = await bareStamps(file);
  if (stamps.length !== Number(count)) throw new Error(`${stamps.length} of ${count} jobs ran`);
  rounds.push(stamps.map((at) => at * 1_000 - due).sort((a, b) => a - b));
}
const of = (share: number) => seconds(median(rounds.map((lags) => quantile(lags, share))));
console.log(`${count} jobs at one instant by supercronic: p50 ${of(0.5)}, p99 ${of(0.99)}`);
await rm(folder, { recursive: true, force: true });
