import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compose } from '../../shared/alerts/compose.ts';
import { type Link, messageText } from '../../shared/alerts/message.ts';
import type { Finding } from '../../shared/drift/finding.ts';
import { day, type Instant } from '../../shared/instant.ts';
import { seeDrift } from '../../shared/pipeline/drift.ts';
import type { KeptOutput, MetricValue } from '../../shared/run/attempt.ts';
import { newRun, type Run, type Versions } from '../../shared/run/run.ts';
import { type Series, series } from '../support/drift/families.ts';
import { job, started } from '../support/pipeline/cast.ts';
import { resultOf } from '../support/pipeline/executor.ts';
import { World } from '../support/pipeline/parts.ts';

/**
 * Prints the alerts about findings as their owners get them, of injected changes and of the real contacts of a bank: for
 * a fresh reader, who says what happened, since when, and what to do. `node test/bench/sentences.ts`; docs/drift.md has
 * the answers. Titles, which give the change away, go to standard error.
 */
interface Day {
  metrics?: Record<string, MetricValue>;
  outputs?: KeptOutput[];
  versions?: Partial<Versions>;
  durationMs?: number;
}

const zero = Date.UTC(2026, 2, 2, 7);
const usual: Versions = {
  bundle: 'a'.repeat(64),
  commit: '4f2a91c',
  lock: 'l1',
  image: 'i',
  python: '3.12.4',
  secrets: { 'crm-api-key': '1' },
};

async function follow(world: World, name: string, days: readonly Day[], slots?: readonly Instant[]): Promise<void> {
  for (const [i, { metrics = {}, outputs = [], versions, durationMs = 41_000 }] of days.entries()) {
    const slot = slots?.[i] ?? zero + i * day;
    const attempt = {
      ...(started(name).attempts[0] as Run['attempts'][number]),
      state: 'succeeded' as const,
      startedAt: slot,
      endedAt: slot + durationMs,
    };
    const base = newRun(name, slot, 'schedule', slot);
    const run: Run = {
      ...base,
      state: 'succeeded',
      attempts: [attempt],
      startedAt: slot,
      endedAt: slot + durationMs,
      metrics,
      versions: { ...usual, ...versions },
    };
    await world.store.runs.insert(run);
    await world.store.metrics.append(run, new Map(Object.entries(metrics)));
    const result = {
      ...resultOf({ job: name, run: run.id, attempt: 1 }, slot, slot + durationMs, 'succeeded'),
      metrics,
      outputs,
    };
    await seeDrift(world.parts, [run], slot + durationMs, async () => result);
    const found = await world.store.drift.findings(name, 5);
    // As it was first sent, and a few runs on.
    if (found.some(({ found: at, state }) => state === 'open' && slot >= at + 5 * day)) break;
  }
}

const n = 60;
const at = 45;
const values = (family: string, size: number, seed: string): number[] =>
  (series(family, seed, n, { at, size, form: 'shift' }) as Series).values.map((value) => value ?? 0);
const days = (make: (i: number) => Day) => Array.from({ length: n }, (_, i) => make(i));
const later = (i: number, versions: Partial<Versions>) => (i >= at ? { versions } : {});
const table = (path: string, rows: number, columns: NonNullable<KeptOutput['profile']>['columns']): KeptOutput => ({
  path,
  profile: { format: 'csv', rows, columns, partial: false },
});
const number = (name: string, nulls = 0) => ({ name, type: 'number' as const, nulls });
const text = (name: string) => ({ name, type: 'text' as const, nulls: 0 });
const status = (more: Record<string, number>) => {
  const top = Object.entries({ done: 60, open: 30, new: 10, ...more });
  return { name: 'status', type: 'text' as const, nulls: 0, distinct: top.length, top };
};

const mean = values('normal', 3.5, 'a');
const high = values('share', 4, 'b');
const sent = values('steady', -4, 'c');
const slow = values('skewed', 3.5, 'd');
const empty = values('nulls', 6, 'e');
const [sentBefore, regions] = ['g', 'h'].map((seed) => values('steady', 0, seed)) as [number[], number[]];
const wide = series('normal', 'f', n, { at, size: 4, form: 'variance' }).values;

const cases: Record<string, (i: number) => Day> = {
  'new model': (i) => ({ metrics: { mean_score: mean[i] ?? 0, model: { [i < at ? 'scorer-1' : 'scorer-2']: 100 } } }),
  'new code': (i) => ({
    metrics: { share_high: high[i] ?? 0 },
    ...later(i, { commit: '9be01d7', bundle: 'b'.repeat(64) }),
  }),
  'nothing of ours': (i) => ({ metrics: { emails_sent: sent[i] ?? 0 } }),
  'other input': (i) => ({ metrics: { incoming_share_new: high[i] ?? 0, mean_score: mean[i] ?? 0 } }),
  slower: (i) => ({ durationMs: 60_000 + 100 * (slow[i] ?? 0) }),
  'empty cells': (i) => ({ outputs: [table('outbound.csv', 450, [number('score', empty[i]), text('email')])] }),
  'wider spread': (i) => ({ metrics: { mean_score: wide[i] ?? 0 } }),
  'other mix': (i) => ({
    metrics: {
      by_region: { north: sentBefore[i] ?? 0, south: (regions[i] ?? 0) + (i < at ? 25 : 0), west: 20 + (i % 3) },
    },
  }),
  'metric gone': (i) => ({
    metrics: { other: 5, ...(i < at && { mean_score: mean[i] ?? 0 }) },
    ...later(i, { commit: '9be01d7', bundle: 'b'.repeat(64) }),
  }),
  'no rows': (i) => ({
    outputs: [table('outbound.csv', i < at ? 400 + (i % 9) : 0, [number('score'), text('email')])],
  }),
  'column gone': (i) => ({
    outputs: [table('outbound.csv', 400, i < at ? [number('score'), text('email')] : [text('email')])],
    ...later(i, { commit: '9be01d7', bundle: 'b'.repeat(64) }),
  }),
  'column renamed': (i) => ({
    outputs: [table('outbound.csv', 400, [number(i < at ? 'score' : 'final_score'), text('email')])],
  }),
  'other type': (i) => ({
    outputs: [table('outbound.csv', 400, [{ ...number('score'), type: i < at ? 'number' : 'mixed' }, text('email')])],
  }),
  'new value': (i) => ({
    outputs: [table('orders.csv', 100, [status(i < at ? {} : { cancelled: 3 }), text('email')])],
  }),
  'outside its limit': (i) => ({ metrics: { rows_scored: i < at ? 400 : 0 } }),
};

const links: Link[] = (['Open', 'Acknowledge', 'Answer'] as const).map((label) => ({ label, url: '(a button)' }));

/** Findings about limits alone are in the alert about the limit. */
async function messageAbout(world: World, { id, job: name, sentence, found }: Finding): Promise<string> {
  const incident = (await world.store.incidents.get({ job: name, cause: 'drift', subject: id }))?.value;
  if (!incident) return sentence;
  const rest = { run: undefined, usual: undefined, changes: undefined, detail: '' };
  const story = { incident, job: world.parts.catalog().get(name)?.job, ...rest };
  return messageText(compose(incident.id, [story], links, found));
}

let count = 0;
async function print(title: string, world: World, name: string): Promise<void> {
  for (const finding of (await world.store.drift.findings(name, 50)).slice(0, title.startsWith('real') ? 3 : 1)) {
    console.error(`${++count}. ${title}`);
    console.log(`--- Message ${count} ---\n${await messageAbout(world, finding)}\n`);
  }
}

const schedule = '{ cron: "0 7 * * *", timeZone: Europe/London }';
for (const [title, make] of Object.entries(cases)) {
  const more = title === 'outside its limit' ? 'metrics: { rows_scored: { min: 1 } }' : '';
  const world = await World.inMemory(job('score', { schedule, more }), job('rank', { schedule }));
  await follow(world, 'score', days(make));
  await print(title, world, 'score');
}
const world = await World.inMemory(job('score', { schedule }), job('rank', { schedule }));
for (const name of ['rank', 'score']) {
  await follow(
    world,
    name,
    days((i) => ({ metrics: { mean_score: mean[i] ?? 0, model: { 'scorer-2': 100 } } })),
  );
}
await print('two jobs on one model', world, 'score');

const fixtures = join(import.meta.dirname, '../fixtures/drift');
const dates: string[] = JSON.parse(readFileSync(join(fixtures, 'prospects-days.json'), 'utf8'));
const lines = readFileSync(join(fixtures, 'prospects.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
for (const id of ['contacts', 'subscribed', 'mix_job']) {
  const { values: real } = lines.find((line) => line.id === id) as { values: MetricValue[] };
  const bank = await World.inMemory(job('calls', { schedule }));
  const slots = dates.map((date) => Date.parse(`${date}T07:00:00Z`));
  await follow(
    bank,
    'calls',
    real.map((value) => ({ metrics: { [id]: value } })),
    slots,
  );
  await print(`real: ${id}`, bank, 'calls');
}
