import type { Run } from '../../shared/run/run.ts';
import type { Choice } from './bench.ts';
import { bareBurst, burst } from './burst.ts';
import { line, median, perMinute } from './figures.ts';
import { know, openWorld, type World } from './world.ts';

/** (b) Runs a minute when there is always more to do, each with its whole log, its metric and its row. */
export async function throughput({ quick, concurrency }: Choice): Promise<void> {
  const jobs = quick ? 100 : 400;
  const world = await openWorld(jobs, concurrency);
  try {
    await know(world);
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < (quick ? 2 : 3); round++) {
      bare.push(perMinute(jobs, (await bareBurst(world, round)).took));
      const { took, runs } = await burst(world, round);
      ours.push(perMinute(jobs, took));
      await complete(world, runs);
    }
    const ratio = median(ours) / median(bare);
    line('runs a minute, all kept', `${median(ours)} (${ours.join(', ')}) · bare ${median(bare)} (${bare.join(', ')})`);
    line('  beside bare', `× ${ratio.toFixed(2)}`, { text: 'at least × 0.5', met: ratio >= 0.5 });
  } finally {
    await world.close();
  }
}

/** @throws Error naming the run that lacks something */
async function complete({ parts }: World, runs: Run[]): Promise<void> {
  for (const run of runs) {
    const result = await parts.store.attempts.result({ job: run.job, run: run.id, attempt: 1 });
    if (!result?.log.text?.endsWith('hello\n')) throw new Error(`the log of ${run.job}.${run.id} is not complete`);
    if (typeof run.metrics.at !== 'number') throw new Error(`${run.job}.${run.id} has lost its metric`);
  }
}
