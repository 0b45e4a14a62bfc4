import type { Choice } from './bench.ts';
import { type Burst, bareBurst, burst } from './burst.ts';
import { line, median, millis, quantile, seconds } from './figures.ts';
import { know, openWorld } from './world.ts';

/** (a) From a slot's instant to the first statement of its job, alone and many due at once. */
export async function lag(choice: Choice): Promise<void> {
  const { ours: alone, bare: bareAlone } = await rounds(1, choice, choice.quick ? 3 : 9);
  const lone = (bursts: Burst[]) => median(bursts.map(({ lags }) => lags[0] ?? 0));
  // The first run on a host reads what later ones know.
  const usual = lone(alone.slice(1));
  line('one job alone', `${millis(usual)} · bare ${millis(lone(bareAlone))}`, {
    text: 'under 30 ms',
    met: usual < 30,
  });
  line('  the first run on a host', millis(lone(alone.slice(0, 1))));
  for (const jobs of choice.quick ? [50] : [100, 500]) {
    const { ours, bare } = await rounds(jobs, choice, choice.quick ? 2 : 3);
    const of = (bursts: Burst[], share: number) => median(bursts.map(({ lags }) => quantile(lags, share)));
    const ratio = of(ours, 0.99) / of(bare, 0.99);
    const reported = (bursts: Burst[]) => `p50 ${seconds(of(bursts, 0.5))}, p99 ${seconds(of(bursts, 0.99))}`;
    line(`${jobs} jobs at one instant`, `${reported(ours)} · bare ${reported(bare)}`);
    line('  p99 beside bare', `× ${ratio.toFixed(2)}`, { text: 'at most × 2.2', met: ratio <= 2.2 });
  }
}

/** Ours and the bare loop in turn. */
async function rounds(jobs: number, { concurrency }: Choice, count: number): Promise<{ ours: Burst[]; bare: Burst[] }> {
  const world = await openWorld(jobs, concurrency);
  const ours: Burst[] = [];
  const bare: Burst[] = [];
  try {
    await know(world);
    for (let round = 0; round < count; round++) {
      bare.push(await bareBurst(world, round));
      ours.push(await burst(world, round));
    }
  } finally {
    await world.close();
  }
  return { ours, bare };
}
