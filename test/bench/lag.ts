import type { Choice } from './bench.ts';
import { type Burst, bareBurst, burst } from './burst.ts';
import { line, median, quantile, seconds } from './figures.ts';
import { know, openWorld } from './world.ts';

/** (a) From a slot's instant to the first statement of its job, many jobs due at once. */
export async function lag({ quick, concurrency }: Choice): Promise<void> {
  for (const jobs of quick ? [50] : [100, 500]) {
    const world = await openWorld(jobs, concurrency);
    try {
      await know(world);
      const ours: Burst[] = [];
      const bare: Burst[] = [];
      for (let round = 0; round < (quick ? 2 : 3); round++) {
        bare.push(await bareBurst(world, round));
        ours.push(await burst(world, round));
      }
      const of = (bursts: Burst[], share: number) => median(bursts.map(({ lags }) => quantile(lags, share)));
      const ratio = of(ours, 0.99) / of(bare, 0.99);
      const reported = (bursts: Burst[]) => `p50 ${seconds(of(bursts, 0.5))}, p99 ${seconds(of(bursts, 0.99))}`;
      line(`${jobs} jobs at one instant`, `${reported(ours)} · bare ${reported(bare)}`);
      line('  p99 beside bare', `× ${ratio.toFixed(2)}`, { text: 'at most × 2', met: ratio <= 2 });
    } finally {
      await world.close();
    }
  }
}
