import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runNow } from '../../shared/actions/run-now.ts';
import type { Choice } from './bench.ts';
import { line, megabytes, millis } from './figures.ts';
import { childrenWith, cpuOf, memoryOf } from './processes.ts';
import { openWorld } from './world.ts';

const lamp = join(import.meta.dirname, '..', '..', 'dist', 'lamp.js');

/** (f) Memory of a host started as people start it, idle and while it runs one job after another. */
export async function memory({ quick, concurrency }: Choice): Promise<void> {
  const jobs = quick ? 50 : 300;
  const world = await openWorld(jobs, concurrency);
  // It joins the store of this world: its own would be the same program once more.
  const flags = ['start', '--join', '--concurrency', String(concurrency)];
  const host = spawn(process.execPath, [lamp, ...flags], {
    env: { ...process.env, LAMPLIGHTER_HOME: world.home.root },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = host.pid ?? 0;
  try {
    await once(host.stdout, 'data');
    host.stdout.resume();
    await sleep(quick ? 3_000 : 20_000);
    const idle = memoryOf(pid);
    line('host idle, with its store', megabytes(idle.resident), {
      text: 'at most 120 MB',
      met: idle.resident <= 120e6,
    });

    const before = cpuOf(pid).own;
    const asked = { by: 'bench', why: '' };
    for (const name of world.catalog.keys()) await runNow(world.parts, name, [], asked, Date.now());
    let most = 0;
    for (let active = 1; active > 0; await sleep(200)) {
      most = Math.max(most, memoryOf(pid).resident);
      active = 0;
      for await (const _ of world.parts.store.active.all()) active += 1;
    }
    line('host under load, most', megabytes(most));
    line('  its CPU a run', millis((cpuOf(pid).own - before) / jobs));
    const [prefork] = childrenWith('--prefork', pid);
    if (prefork !== undefined) line('  what forks the shims', megabytes(memoryOf(prefork).resident));
  } finally {
    host.kill('SIGTERM');
    if (host.exitCode === null) await once(host, 'exit');
    await world.close();
  }
}
