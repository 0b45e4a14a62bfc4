import { expect, test } from 'vitest';
import { everyMinute, job } from '../support/pipeline/cast.ts';
import type { Behaviour } from '../support/pipeline/executor.ts';
import { clean, long, type Simulation, simulate } from '../support/pipeline/simulation.ts';
import { poison, rolling, wrongClocks } from '../support/pipeline/troubles.ts';

/** In `npm test` a seed for each test, and a third of its slots. */
const all = [1, 2, 3, 4];
const [faultSeeds, claimSeeds] = long ? [all, all] : [[1], [2]];
const [minutes, slots, executions] = long ? [660, 10_000, 2_500] : [220, 3_300, 800];

const kinds = [
  { schedule: everyMinute },
  { schedule: '{ cron: "*/7 * * * *", timeZone: Asia/Kolkata, catchUp: all }', run: 'overlap: queue' },
  {
    schedule: '{ cron: "*/5 * * * *", timeZone: UTC, catchUp: none }',
    retry: 'attempts: 3, delay: 20s, on: [network]',
  },
  { schedule: '{ cron: "*/3 * * * *", timeZone: UTC, catchUp: all }', run: 'overlap: allow, concurrency: 2' },
  { schedule: '{ cron: "*/4 * * * *", timeZone: UTC }', run: 'overlap: replace, timeout: 5m' },
];
const behaviours: Behaviour[] = [
  'succeed',
  'succeed',
  'succeed',
  'run',
  'fail',
  'vanish',
  'never',
  'refuse',
  'cut',
  'twice',
  'refuse-started',
];

const cast = (count: number) =>
  Array.from({ length: count }, (_, number) => job(`job-${number}`, kinds[number % kinds.length]));

/** Starts go every way they can, and what runs ends some time, one way or another. */
async function roughPlatform({ world, random }: Simulation): Promise<void> {
  world.platform.errorClass = 'network';
  world.platform.behave = () => behaviours[Math.floor(random() * behaviours.length)] ?? 'succeed';
  for (const attempt of world.platform.running()) {
    if (random() < 0.2) await world.platform.end(attempt, random() < 0.7 ? 'succeeded' : 'failed');
    else if (random() < 0.02) world.platform.kill(attempt);
  }
}

test.each(
  faultSeeds,
)('two hosts over failing storage, dying at random, leave one row a slot and run no attempt twice (seed %i)', async (seed) => {
  const { verdict, sim } = await simulate({
    seed,
    jobs: cast(40),
    minutes,
    fails: 0.02,
    dies: 0.004,
    troubles: [roughPlatform],
  });
  expect(verdict).toMatchObject(clean);
  expect(verdict.slots).toBeGreaterThan(slots);
  expect(sim.world.platform.executions.size).toBeGreaterThan(executions);
}, 600_000);

test.each(
  claimSeeds,
)('a poisoned job, rolling deployments, wrong clocks and a removed job cost no slot of forty jobs (seed %i)', async (seed) => {
  const jobs = cast(40);
  const added = job('added', { schedule: everyMinute });
  const gone = job('gone', { schedule: everyMinute, run: 'overlap: queue' });
  const { verdict, sim } = await simulate({
    seed,
    jobs: [...jobs, gone],
    minutes,
    fails: 0.005,
    dies: 0.0005,
    troubles: [roughPlatform, poison('job-7'), wrongClocks, rolling([...jobs, gone], added, 'gone')],
  });
  expect(verdict).toMatchObject(clean);
  expect(verdict.slots).toBeGreaterThan(slots);
  const reasons = new Set((await sim.world.rows('gone')).map(({ reason }) => reason));
  expect(reasons).toContain('the job gone is not here any more');
  expect((await sim.world.rows('added')).length).toBeGreaterThan(60);
}, 600_000);
