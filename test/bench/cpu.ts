import type { Choice } from './bench.ts';
import { bareBurst, burst } from './burst.ts';
import { line, millis } from './figures.ts';
import { childrenWith, cpuOf } from './processes.ts';
import { know, openWorld } from './world.ts';

/** (c) CPU a run costs, by who spends it. The host's part has the claims and what this benchmark does itself. */
export async function cpu({ quick, concurrency }: Choice): Promise<void> {
  const jobs = quick ? 100 : 300;
  const world = await openWorld(jobs, concurrency);
  try {
    await know(world);
    // The first round warms everything up: compiling is done once in a host's life.
    await burst(world, 0);
    const bareBefore = cpuOf('self');
    await bareBurst(world, 0);
    const bareAfter = cpuOf('self');

    // Worlds before this one have left theirs, which end with this process.
    const prefork = childrenWith('--prefork', process.pid).at(-1);
    if (prefork === undefined) throw new Error('the process that starts the shims is not there');
    const total = (pid: number) => cpuOf(pid).own + cpuOf(pid).children;
    const before = { host: cpuOf('self').own, shims: total(prefork) };
    const { runs } = await burst(world, 1);
    const job = runs.reduce((sum, run) => sum + (run.attempts[0]?.cpuMs ?? 0), 0);
    const host = cpuOf('self').own - before.host;
    const shim = total(prefork) - before.shims - job;
    const per = (ms: number) => millis(ms / jobs);
    line('CPU a run', per(host + shim + job));
    line('  host with its store · shim · job', `${per(host)} · ${per(shim)} · ${per(job)}`);
    const bare = { own: bareAfter.own - bareBefore.own, job: bareAfter.children - bareBefore.children };
    line('  bare loop: loop · job', `${per(bare.own)} · ${per(bare.job)}`);
  } finally {
    await world.close();
  }
}
