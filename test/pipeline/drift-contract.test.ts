import { describe, expect, test } from 'vitest';
import { answer } from '../../shared/actions/drift.ts';
import { seeEnds } from '../../shared/alerts/see.ts';
import { day, type Instant } from '../../shared/instant.ts';
import { seeDrift } from '../../shared/pipeline/drift.ts';
import type { MetricValue, OutputProfile } from '../../shared/run/attempt.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { series } from '../support/drift/families.ts';
import { job, seven, started } from '../support/pipeline/cast.ts';
import { resultOf } from '../support/pipeline/executor.ts';
import { World } from '../support/pipeline/parts.ts';

const schedule = '{ cron: "0 7 * * *", timeZone: Europe/London }';

interface Day {
  metrics?: Record<string, MetricValue>;
  table?: Table;
  state?: Run['state'];
}

/** Column → what it holds: `number`, `text`, or counts by value. */
interface Table {
  rows: number;
  columns: Record<string, 'number' | 'text' | Record<string, number>>;
}

function profileOf({ rows, columns }: Table): OutputProfile {
  return {
    format: 'csv',
    rows,
    partial: false,
    columns: Object.entries(columns).map(([name, holds]) => {
      if (holds === 'number') return { name, type: 'number', nulls: 0, mean: 5, sd: 1, min: 2, max: 8 };
      const top = holds === 'text' ? undefined : Object.entries(holds);
      return { name, type: 'text', nulls: 0, distinct: top?.length ?? rows, ...(top && { top }) };
    }),
  };
}

async function pass(world: World, days: readonly Day[], first = 0, name = 'score'): Promise<void> {
  for (const [i, { metrics = {}, table, state = 'succeeded' }] of days.entries()) {
    const slot: Instant = seven + (first + i) * day;
    const base = newRun(name, slot, 'schedule', slot);
    const attempt = { ...(started(name).attempts[0] as Run['attempts'][number]), state: 'succeeded' as const };
    const run: Run = { ...base, state, attempts: [attempt], startedAt: slot, endedAt: slot + 1_000, metrics };
    await world.store.runs.insert(run);
    const id = { job: name, run: run.id, attempt: 1 };
    const outputs = table ? [{ path: 'outbound.csv', profile: profileOf(table) }] : [];
    const result = { ...resultOf(id, slot, slot + 1_000, 'succeeded'), metrics, outputs };
    await seeEnds(world.parts, [run], slot + 1_000);
    await seeDrift(world.parts, [run], slot + 1_000, async () => result);
  }
}

const usual: Table = { rows: 100, columns: { id: 'text', score: 'number', status: { done: 60, open: 30, new: 10 } } };
const times = (n: number, table: Table): Day[] => Array.from({ length: n }, () => ({ table }));
const withColumns = (columns: Table['columns'], rows = usual.rows): Table => ({ rows, columns });
const { score: _, ...noScore } = usual.columns;

async function findings(world: World, name = 'score') {
  return world.store.drift.findings(name, 10);
}

async function incidentOf(world: World, subject = '') {
  return (await world.store.incidents.get({ job: 'score', cause: 'drift', subject }))?.value;
}

describe('the contract of an output', () => {
  test('a column that is gone is one finding at once, with a sentence and an incident', async () => {
    const world = await World.inMemory(job('score', { schedule }));
    await pass(world, [...times(20, usual), ...times(8, withColumns(noScore))]);
    const [finding, ...more] = await findings(world);
    expect(more).toEqual([]);
    expect(finding?.signs.map(({ kind, metric }) => [kind, metric])).toEqual([['lost', 'output:outbound.csv/score']]);
    expect(finding?.found).toBe(seven + 20 * day);
    expect(finding?.sentence).toBe(
      'Since Thu 10 Dec 2026 (1 run so far) the column score is missing from outbound.csv; all 20 runs before had it. ' +
        'The job itself was not changed around then: no change of its code, packages, model, secrets or schedule is on record. ' +
        'What to do: Warn those who use this file, as their figures may be wrong. Ask the one who looks after the script why: ' +
        'as the job was not changed, the cause is probably in what it reads. ' +
        'If it is meant, answer "expected"; if not, answer "real" and have it corrected.',
    );
    expect(await incidentOf(world, finding?.id)).toMatchObject({ state: 'open', text: finding?.sentence });
    expect(world.events.filter(({ type }) => type === 'drift-found')).toHaveLength(1);
  });

  test('several columns that change in one run are one finding, and it ends when all are as they were', async () => {
    const world = await World.inMemory(job('score', { schedule }));
    const other = { id: 'number' as const, status: { done: 60, open: 30, new: 10 }, extra: 'text' as const };
    await pass(world, [...times(20, usual), ...times(4, withColumns(other))]);
    const [finding, ...more] = await findings(world);
    expect(more).toEqual([]);
    expect(finding?.signs.map(({ kind }) => kind).sort()).toEqual(['lost', 'new', 'retyped']);
    expect(finding?.sentence).toMatch(/ Also: (the column (id|score)|a new column extra)/);
    await pass(world, times(2, usual), 24);
    expect((await findings(world))[0]?.state).toBe('recovered');
    expect((await incidentOf(world, finding?.id))?.state).toBe('resolved');
  });

  test('a value that a column never had is one finding, and a change of the shares beside it joins it', async () => {
    const world = await World.inMemory(job('score', { schedule }));
    const odd = { ...usual.columns, status: { done: 30, open: 30, new: 10, cancelled: 30 } };
    await pass(world, [...times(30, usual), ...times(12, withColumns(odd))]);
    const [finding, ...more] = await findings(world);
    expect(more).toEqual([]);
    expect(finding?.signs[0]).toMatchObject({ kind: 'value', metric: 'output:outbound.csv/status.mix' });
    expect(finding?.sentence).toContain(
      '"cancelled" came up in the column status in outbound.csv; the 30 runs before had only "done", "new", "open"',
    );
  });

  test('no rows where there always were some is a finding at once, over with the first rows', async () => {
    const world = await World.inMemory(job('score', { schedule }));
    const rows = series('steady', 'rows', 20).values.map((value): Day => ({ table: { ...usual, rows: value ?? 0 } }));
    await pass(world, [...rows, ...times(2, { ...usual, rows: 0 })]);
    const [finding, ...more] = await findings(world);
    expect(more).toEqual([]);
    expect(finding?.signs[0]).toMatchObject({ kind: 'zero', metric: 'output:outbound.csv/rows' });
    expect(finding?.state).toBe('open');
    await pass(world, rows.slice(0, 1), 22);
    expect((await findings(world))[0]?.state).toBe('recovered');
    await pass(world, times(1, { ...usual, rows: 0 }), 23);
    expect((await findings(world)).map(({ state }) => state)).toEqual(['open', 'recovered']);
  });

  test('the first runs and failed runs raise nothing', async () => {
    const world = await World.inMemory(job('score', { schedule }));
    await pass(world, [...times(14, usual), ...times(1, withColumns(noScore))]);
    await pass(world, [...times(10, usual), { table: withColumns(noScore), state: 'failed' }], 15);
    expect(await findings(world)).toEqual([]);
  });

  test('accepted as expected the new columns are the norm, and the next change is news', async () => {
    const world = await World.inMemory(job('score', { schedule }));
    await pass(world, [...times(20, usual), ...times(3, withColumns(noScore))]);
    const [finding] = await findings(world);
    if (!finding) throw new Error('no finding');
    const dana = { by: 'dana@contoso.com', why: 'scores go elsewhere' };
    await answer(world.parts, finding, 'expected', dana, seven + 23 * day);
    await pass(world, times(10, withColumns(noScore)), 23);
    expect((await findings(world)).map(({ state }) => state)).toEqual(['expected']);
    const { status: _status, ...less } = noScore;
    await pass(world, times(1, withColumns(less)), 33);
    expect((await findings(world)).map(({ state }) => state)).toEqual(['open', 'expected']);
  });
});

describe('the contract of what a script reports', () => {
  const more = 'metrics: { rows: { min: 1, drift: off }, by: { values: [high, low] }, quiet: { required: true } }';
  const good: Day = { metrics: { rows: 5, by: { high: 1, low: 4 }, quiet: 5 } };
  const bad: Day = { metrics: { rows: 0, by: { high: 1, odd: 4 }, quiet: 5 } };

  test('limits of job.yaml are a finding from the first run on, beside their own incident and no second one', async () => {
    const world = await World.inMemory(job('score', { schedule, more }));
    await pass(world, [bad, bad]);
    const [finding, ...others] = await findings(world);
    expect(others).toEqual([]);
    expect(finding?.signs.map(({ kind, metric }) => [metric, kind]).sort()).toEqual([
      ['by', 'limit'],
      ['rows', 'limit'],
    ]);
    expect(finding?.sentence).toMatch(
      /^On Fri 20 Nov 2026 the figure ("rows" is 0, expected at least 1|"by" counts "odd", expected only "high", "low"), by the job's own rule in job\.yaml\. Also: /,
    );
    expect(await incidentOf(world, finding?.id)).toBeUndefined();
    const limit = await world.store.incidents.get({ job: 'score', cause: 'metric', subject: 'rows' });
    expect(limit?.value.state).toBe('open');
    expect(world.events.filter(({ type }) => type === 'drift-found')).toHaveLength(1);
    await pass(world, [good], 2);
    expect((await findings(world))[0]?.state).toBe('recovered');
  });

  test('a required metric that is absent is a finding at its first absence', async () => {
    const world = await World.inMemory(job('score', { schedule, more }));
    await pass(world, [good, { metrics: { rows: 5, by: { high: 1 } } }]);
    const [finding] = await findings(world);
    expect(finding?.sentence).toContain('the figure "quiet" is missing');
    expect(finding?.signs).toHaveLength(1);
  });

  test('a metric outside its limit and moved is one finding with both, and stays open for the move', async () => {
    const world = await World.inMemory(job('score', { schedule, more: 'metrics: { mean: { max: 0.72 } }' }));
    const noise = (n: number, seed: string) => series('normal', seed, n).values as number[];
    const moved = noise(12, 'after').map((value) => value + 0.12);
    await pass(
      world,
      [...noise(40, 'before'), ...moved].map((mean) => ({ metrics: { mean } })),
    );
    const [finding, ...others] = await findings(world);
    expect(others).toEqual([]);
    expect(finding?.signs.map(({ kind }) => kind)).toEqual(['limit', 'shift_up']);
    expect(await incidentOf(world, finding?.id)).toMatchObject({ state: 'open' });
    await pass(world, [{ metrics: { mean: 0.7 } }], 52);
    expect((await findings(world))[0]).toMatchObject({ state: 'open', signs: [{ kind: 'shift_up' }] });
  });

  test('a metric that was always there is missing at its second absence; of another type, at once and once', async () => {
    const world = await World.inMemory(job('score', { schedule }));
    const both = (n: number): Day[] => Array.from({ length: n }, () => ({ metrics: { mean: 5, share: 0.5 } }));
    const broken = (n: number): Day[] => Array.from({ length: n }, () => ({ metrics: { share: { a: 1 } } }));
    await pass(world, [...both(20), ...broken(4)]);
    const [finding, ...others] = await findings(world);
    expect(others).toEqual([]);
    expect(finding?.signs.map(({ metric, kind }) => [metric, kind]).sort()).toEqual([
      ['mean', 'missing'],
      ['share', 'type'],
    ]);
    expect(world.events.filter(({ type }) => type === 'drift-found')).toHaveLength(2);
  });

  test('a whole number that never was zero is news when it is; one that often is is not', async () => {
    const world = await World.inMemory(job('score', { schedule }));
    const sent = series('steady', 'sent', 25).values.map((value) => value ?? 0);
    const bounced = series('rare', 'bounced', 25).values.map((value) => value ?? 0);
    await pass(world, [
      ...sent.map((value, i) => ({ metrics: { sent: value, bounced: bounced[i] ?? 0 } })),
      { metrics: { sent: 0, bounced: 0 } },
    ]);
    const [finding, ...others] = await findings(world);
    expect(others).toEqual([]);
    expect(finding?.signs).toMatchObject([{ metric: 'sent', kind: 'zero' }]);
  });
});
