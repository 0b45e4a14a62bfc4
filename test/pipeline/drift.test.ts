import { expect, test } from 'vitest';
import { day, type Instant } from '../../shared/instant.ts';
import { seeDrift } from '../../shared/pipeline/drift.ts';
import type { MetricValue } from '../../shared/run/attempt.ts';
import { newRun, type Run, type Versions } from '../../shared/run/run.ts';
import { series } from '../support/drift/families.ts';
import { job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const schedule = '{ cron: "0 7 * * *", timeZone: Europe/London }';
const versions: Versions = { bundle: 'a', commit: 'c1', lock: 'l', image: 'i', python: '3.12', secrets: {} };
const noise = (n: number, seed: string) => series('normal', seed, n).values as number[];

interface Day {
  metrics: Record<string, MetricValue>;
  versions?: Versions;
}

/** Runs one a day, each kept and followed up. */
async function pass(world: World, days: readonly Day[], first = 0, name = 'score'): Promise<void> {
  for (const [i, one] of days.entries()) {
    const slot: Instant = seven + (first + i) * day;
    const run: Run = {
      ...newRun(name, slot, 'schedule', slot),
      state: 'succeeded',
      versions,
      startedAt: slot,
      endedAt: slot + 1_000,
      ...one,
    };
    await world.store.runs.insert(run);
    await seeDrift(world.parts, [run], slot + 1_000, async () => undefined);
  }
}

const score = (values: number[], more: Partial<Day> = {}): Day[] =>
  values.map((value) => ({ metrics: { mean_score: value }, ...more }));

const later: Versions = { ...versions, bundle: 'b', commit: 'c2' };
const moved = (n: number) => noise(n, 'after').map((value) => value + 0.08);

test('a shift after a new commit is a finding that names the commit, and one open incident', async () => {
  const world = await World.inMemory(job('score', { schedule }));
  await pass(world, [...score(noise(40, 'before')), ...score(moved(12), { versions: later })]);
  const [finding, ...more] = await world.store.drift.findings('score', 10);
  expect(more).toEqual([]);
  expect(finding).toMatchObject({ state: 'open', since: seven + 40 * day });
  expect(finding?.sentence).toContain('the code of the job changed from c1 to c2');
  const incident = await world.store.incidents.get({ job: 'score', cause: 'drift', subject: finding?.id ?? '' });
  expect(incident?.value).toMatchObject({ state: 'open', text: finding?.sentence });
});

test('metrics that move together are one finding; the one that says most comes first', async () => {
  const world = await World.inMemory(job('score', { schedule }));
  const both = (a: number[], b: number[]): Day[] =>
    a.map((value, i) => ({ metrics: { mean_score: value, rows: b[i] ?? 0, quiet: 5 } }));
  await pass(world, [
    ...both(noise(40, 'a'), noise(40, 'b')),
    ...both(
      moved(14),
      noise(14, 'b later').map((value) => value - 0.09),
    ),
  ]);
  const findings = await world.store.drift.findings('score', 10);
  expect(findings).toHaveLength(1);
  expect(findings[0]?.signs.map(({ metric }) => metric).sort()).toEqual(['mean_score', 'rows']);
});

test('back in the usual range the finding and its incident are over', async () => {
  const world = await World.inMemory(job('score', { schedule }));
  await pass(world, score([...noise(40, 'before'), ...moved(8), ...noise(20, 'back')]));
  const [finding] = await world.store.drift.findings('score', 10);
  expect(finding?.state).toBe('recovered');
  const incident = await world.store.incidents.get({ job: 'score', cause: 'drift', subject: finding?.id ?? '' });
  expect(incident?.value.state).toBe('resolved');
  expect(world.events.some(({ type }) => type === 'drift-recovered')).toBe(true);
});

test('a follow-up that is cut short before its baselines are kept finds the same again, once', async () => {
  const world = await World.inMemory(job('score', { schedule }));
  const days = score([...noise(40, 'before'), ...moved(12)]);
  const { write } = world.store.drift;
  let broken = false;
  world.store.drift.write = async (name, changes, kept) => {
    if (broken && changes.some(({ value }) => value.drifted)) throw new Error('the table is unavailable');
    return write(name, changes, kept);
  };
  await pass(world, days.slice(0, 40));
  broken = true;
  let failed = 0;
  for (const [i, one] of days.slice(40).entries()) {
    await pass(world, [one], 40 + i).catch(async () => {
      failed++;
      broken = false;
      const run = (await world.store.runs.list('score')[Symbol.asyncIterator]().next()).value?.value as Run;
      await seeDrift(world.parts, [run], run.slot + 60_000, async () => undefined);
    });
  }
  expect(failed).toBe(1);
  expect(await world.store.drift.findings('score', 10)).toHaveLength(1);
});

test('failed runs are no measure, and a metric with drift: off is not watched', async () => {
  const world = await World.inMemory(job('score', { schedule, more: 'metrics: { mean_score: { drift: off } }' }));
  await pass(world, score([...noise(40, 'before'), ...moved(12)]));
  expect(await world.store.drift.findings('score', 10)).toEqual([]);
  expect((await world.store.drift.states('score')).map(({ metric }) => metric)).not.toContain('mean_score');
});

test('a job that is not in production has findings and no incident', async () => {
  const world = await World.inMemory(job('score', { schedule, more: 'status: development' }));
  await pass(world, score([...noise(40, 'before'), ...moved(12)]));
  const [finding] = await world.store.drift.findings('score', 10);
  expect(finding?.state).toBe('open');
  expect(await world.store.incidents.get({ job: 'score', cause: 'drift', subject: finding?.id ?? '' })).toBeUndefined();
});

test('two hundred metrics whose categories have long names still fit into their rows', async () => {
  const world = await World.inMemory(job('score', { schedule }));
  const mix = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`category ${'x'.repeat(60)} ${i}`, i]));
  await pass(
    world,
    Array.from({ length: 190 }, () => ({ metrics: { mix } })),
  );
  const [state] = await world.store.drift.states('score');
  expect(state?.points.length).toBeGreaterThan(2);
});
