import { expect, test } from 'vitest';
import { StartError } from '../../shared/executors/executor.ts';
import { type Instant, minute } from '../../shared/instant.ts';
import { everyMinute, job } from '../support/pipeline/cast.ts';
import { clean, long, type Simulation, simulate, type Trouble } from '../support/pipeline/simulation.ts';

const limit = 5;
const kinds = [
  { schedule: everyMinute },
  { schedule: '{ cron: "*/2 * * * *", timeZone: Asia/Kolkata, catchUp: all }', run: 'overlap: queue' },
  { schedule: '{ cron: "*/3 * * * *", timeZone: UTC }', retry: 'attempts: 3, delay: 20s, on: [network, lost]' },
  { schedule: '{ cron: "*/2 * * * *", timeZone: UTC, catchUp: all }', run: 'overlap: allow, concurrency: 2' },
  { schedule: '{ cron: "*/4 * * * *", timeZone: UTC }', run: 'overlap: replace, timeout: 5m' },
];
const tiers = ['critical', 'standard', 'low-risk'] as const;
const cast = (count: number) =>
  Array.from({ length: count }, (_, number) => {
    const one = job(`job-${number}`, kinds[number % kinds.length]);
    return { ...one, tier: tiers[number % 3] ?? one.tier };
  });

/** What runs ends within a minute or so; a start is killed half-way, or its answer is lost, now and then. */
function busyPlatform(seen: { most: number }): Trouble {
  return async ({ world, random }) => {
    world.platform.behave = () => {
      const fate = random();
      return fate < 0.03 ? 'cut' : fate < 0.05 ? 'never' : fate < 0.06 ? 'vanish' : fate < 0.5 ? 'run' : 'succeed';
    };
    seen.most = Math.max(seen.most, world.platform.running().length);
    for (const attempt of world.platform.running()) {
      if (random() < 0.6) await world.platform.end(attempt, random() < 0.9 ? 'succeeded' : 'failed');
    }
  };
}

/** For twenty minutes of each two hours every start is refused. */
function awayAtTimes(): Trouble {
  let wrapped = false;
  return ({ world, began }: Simulation) => {
    if (wrapped) return;
    wrapped = true;
    const { start } = world.platform;
    world.platform.start = async (spec) => {
      const into = (world.now - began) % (120 * minute);
      if (into > 60 * minute && into < 80 * minute) throw new StartError('throttled', 'asked too often (429)');
      return start.call(world.platform, spec);
    };
  };
}

/** One host after the other is killed every three minutes, and is back a minute later. */
function restarts(): Trouble {
  let next: Instant = 0;
  let turn = 0;
  return ({ world, hosts }: Simulation) => {
    if (world.now < next) return;
    next = world.now + 3 * minute;
    const host = hosts[turn++ % hosts.length];
    if (host) host.deadUntil = world.now + minute;
  };
}

test.each(
  long ? [1, 2] : [1],
)('eight hosts under a limit of five: a platform that is unavailable, restarts, lost nudges, deaths inside the start call (seed %i)', async (seed) => {
  const seen = { most: 0 };
  const { verdict, sim } = await simulate({
    seed,
    jobs: cast(10),
    minutes: long ? 2_100 : 250,
    hosts: Array.from({ length: 8 }, (_, at) => `host-${at}`),
    limit,
    losesNudges: 0.05,
    fails: 0.002,
    dies: 0.0003,
    troubles: [busyPlatform(seen), awayAtTimes(), restarts()],
    settling: 600,
  });
  expect(verdict).toMatchObject({ ...clean, wronglySkipped: [] });
  expect(verdict.slots).toBeGreaterThan(long ? 10_000 : 1_000);
  expect(seen.most).toBeLessThanOrEqual(limit);
  expect(sim.world.platform.executions.size).toBeGreaterThan(long ? 5_000 : 500);
}, 600_000);
