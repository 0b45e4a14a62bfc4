import { expect, test } from 'vitest';
import { day } from '../../shared/instant.ts';
import { seeDrift } from '../../shared/pipeline/drift.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

/** A job that gives its metrics new names with each run: its baselines and its history stay bounded. */

const schedule = '{ cron: "0 7 * * *", timeZone: Europe/London }';
const declared = ['declared', 'declared.too', 'a-b'];
const more = `metrics: { ${declared.map((name) => `${JSON.stringify(name)}: { min: 0 }`).join(', ')} }`;
const unlike = () => World.inMemory(job('score', { schedule, more }));

/** 150 names that no other run has; the first run has what job.yaml declares as well. */
function metricsOf(number: number): Record<string, number> {
  const names = Array.from({ length: 150 }, (_, at) => [`run_${number}_${at}`, at] as const);
  const first = number === 0 ? declared.map((name) => [name, 1] as const) : [];
  return Object.fromEntries([...first, ['steady', 5], ...names]);
}

async function ended(world: World, number: number): Promise<Run> {
  const slot = seven + number * day;
  const more = { state: 'succeeded', startedAt: slot, endedAt: slot + 1_000, metrics: metricsOf(number) } as const;
  const run: Run = { ...newRun('score', slot, 'schedule', slot), ...more };
  await world.store.runs.insert(run);
  await world.store.metrics.append(run, new Map(Object.entries(run.metrics)));
  return run;
}

const follow = (world: World, run: Run) => seeDrift(world.parts, [run], run.slot + 1_000, async () => undefined);
const baselines = async ({ store }: World) => (await store.drift.states('score')).map(({ metric }) => metric);
const values = async ({ store }: World, name: string) => (await store.metrics.list('score', name, 9)).length;
const warnings = async (world: World) => (await world.rows('score')).map((run) => run.warnings);

test('baselines are bounded, what is gone longest goes first, and what job.yaml declares stays', async () => {
  const world = await unlike();
  for (let i = 0; i < 6; i++) await follow(world, await ended(world, i));
  const names = await baselines(world);
  expect(names.length).toBeLessThanOrEqual(400);
  expect(names).toEqual(expect.arrayContaining([...declared, 'steady', 'run_5_0', 'run_4_149']));
  expect(names).not.toContain('run_0_0');
  // The history goes with the baseline.
  expect([await values(world, 'run_0_0'), await values(world, 'run_5_0')]).toEqual([0, 1]);
  for (const name of declared) expect([name, await values(world, name)]).toEqual([name, 1]);
  expect(await values(world, 'steady')).toBe(6);
});

test('the runs from which names went say so, once, and no other does', async () => {
  const world = await unlike();
  for (let i = 0; i < 5; i++) {
    const run = await ended(world, i);
    await follow(world, run);
    await follow(world, run);
  }
  const said = await warnings(world);
  expect(said.map((one) => one.length)).toEqual([0, 0, 1, 1, 1]);
  expect(said[2]?.[0]).toMatch(
    /^this job has had more than 400 metrics, and the history of "run_0_\d+" and \d+ more is removed: give metrics the same names in each run$/,
  );
});

test('two hosts that follow two runs at once lose neither what is declared nor what is new', async () => {
  const world = await unlike();
  for (let i = 0; i < 3; i++) await follow(world, await ended(world, i));
  for (let i = 3; i < 9; i += 2) {
    const runs = [await ended(world, i), await ended(world, i + 1)];
    const other = { ...world, parts: world.host({ person: 'another' }) } as World;
    await Promise.all([follow(world, runs[0] as Run), follow(other, runs[1] as Run)]);
  }
  const names = await baselines(world);
  expect(names.length).toBeLessThanOrEqual(550);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining([...declared, 'steady', 'run_8_0', 'run_8_149', 'run_7_149']));
  for (const said of await warnings(world)) expect(said.length).toBeLessThanOrEqual(1);
  await follow(world, await ended(world, 9));
  expect((await baselines(world)).length).toBeLessThanOrEqual(400);
});

test('a host that dies while it forgets leaves it to the next', async () => {
  const world = await unlike();
  for (let i = 0; i < 2; i++) await follow(world, await ended(world, i));
  const run = await ended(world, 2);
  for (const step of ['metrics', 'drift'] as const) {
    const whole = { ...world.store[step] };
    const name = step === 'metrics' ? 'forgetNames' : 'forget';
    Object.assign(world.store[step], { [name]: () => Promise.reject(new Error('the table is unavailable')) });
    await expect(follow(world, run)).rejects.toThrow('unavailable');
    Object.assign(world.store[step], whole);
  }
  expect((await warnings(world))[2]).toEqual([]);
  await follow(world, run);
  expect((await baselines(world)).length).toBeLessThanOrEqual(400);
  expect((await warnings(world))[2]).toHaveLength(1);
  expect(await baselines(world)).toEqual(expect.arrayContaining([...declared, 'steady', 'run_2_149']));
});
