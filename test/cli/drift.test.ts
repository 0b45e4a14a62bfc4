import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { opened } from '../../shared/drift/finding.ts';
import { newState } from '../../shared/drift/state.ts';
import { day } from '../../shared/instant.ts';
import { newRun } from '../../shared/run/run.ts';
import { type Lamp, lampHome } from '../support/cli/lamp.ts';
import { job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

let here: Lamp;
let world: World;
beforeAll(async () => {
  here = await lampHome();
  await here.job('score', 'print(1)');
}, 120_000);
afterAll(() => here.clean());

/** A metric of twenty days that moved on day 16, and the finding about it. */
beforeEach(async () => {
  world = await World.of(job('score'));
  const since = seven + 16 * day;
  const values = Array.from({ length: 20 }, (_, i) => (i < 16 ? 10 + (i % 2) : 20));
  const points = values.map((value, i) => ({ slot: seven + i * day, value }));
  const moved = { since, found: seven + 19 * day, kind: 'shift_up' } as const;
  const numbers = { metric: 'mean', kind: 'shift_up', share: false, before: 10, low: 9, high: 12, after: 20 } as const;
  const state = { ...newState('score', 'mean', 10), points, runs: 20, drifted: moved };
  await world.store.drift.putStates([state]);
  const finding = opened('score', { ...moved, metric: 'mean', oneIn: 900, numbers });
  await world.store.drift.putFinding({ ...finding, sentence: 'The mean is 20 instead of 10.\u001b[2J' });
});

const id = String(seven + 19 * day);
const lamp = (...args: string[]) => here.lamp(args, { LAMPLIGHTER_STORAGE: world.connection });
/** In a process of its own: what it prints is what a terminal gets. */
const shown = (...args: string[]) => here.process(args, { env: { LAMPLIGHTER_STORAGE: world.connection } });
const read = async (...args: string[]) => {
  const { code, stdout, stderr } = await lamp(...args, '--json');
  if (code !== 0) throw new Error(`lamp ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
};

test('lamp drift lists open findings, as text without what would move the terminal, and as JSON', async () => {
  const text = await shown('drift');
  expect(text.code).toBe(0);
  expect(text.stdout).toContain(`score  ${id}  open  since 2026-12-06T07:00:00Z`);
  expect(text.stdout).toContain('The mean is 20 instead of 10.');
  expect(text.stdout).not.toContain('\u001b[2J');
  expect(await read('drift', 'score')).toMatchObject([
    { id, state: 'open', metrics: [{ metric: 'mean', before: 10, after: 20, oneIn: 900 }], answered: null },
  ]);
});

test('an answer is kept with who and why, and the finding leaves the list but for --all', async () => {
  const args = ['--answer', 'expected', '--why', 'new model', '--by', 'dana'];
  expect(await read('drift', 'score', ...args)).toMatchObject([
    { id, state: 'expected', answered: { by: 'dana', why: 'new model' } },
  ]);
  expect(await read('drift')).toEqual([]);
  expect(await read('drift', '--all')).toMatchObject([{ id, state: 'expected' }]);
  const again = await lamp('drift', 'score', ...args);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('lamp drift score --all')]);
});

test('lamp drift refuses an unknown job, an answer without a job or of another kind, and a span that is none', async () => {
  const refused = async (...args: string[]) => {
    const { code, stderr } = await lamp('drift', ...args);
    return [code, stderr];
  };
  expect(await refused('scor')).toEqual([1, expect.stringContaining('score')]);
  expect(await refused('--answer', 'real', '--why', 'x')).toEqual([1, expect.stringContaining('Which job?')]);
  expect(await refused('score', '--answer', 'perhaps')).toEqual([2, expect.stringContaining('expected')]);
  expect(await refused('score', '--snooze', 'soon', '--why', 'x')).toEqual([1, expect.stringContaining('7d')]);
});

test('lamp baseline show, pin and reset: where each metric stands, who pinned it, and learning anew', async () => {
  expect(await read('baseline', 'show', 'score')).toMatchObject([
    { metric: 'mean', kind: 'gauge', state: 'drifted since 2026-12-06', runs: 20, pinnedBy: null },
  ]);
  const pinned = await lamp('baseline', 'pin', 'score', '--since', '2026-12-06', '--why', 'agreed', '--by', 'dana');
  expect([pinned.code, pinned.stdout]).toEqual([0, expect.stringContaining('mean of score pinned')]);
  expect(await read('baseline', 'show', 'score')).toMatchObject([
    { metric: 'mean', runs: 4, pinnedBy: 'dana', why: 'agreed', since: '2026-12-06T07:00:00Z' },
  ]);
  expect((await lamp('baseline', 'reset', 'score', '--why', 'new source')).code).toBe(0);
  expect(await read('baseline', 'show', 'score')).toEqual([]);
  const kinds: string[] = [];
  for await (const { kind } of world.store.events.list('score')) kinds.push(kind);
  expect(kinds).toEqual(expect.arrayContaining(['baseline-reset', 'baseline-pinned']));
});

test('lamp baseline pin refuses a pin without a day, and a metric that is not there', async () => {
  const none = await lamp('baseline', 'pin', 'score', '--why', 'x');
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('--since 2026-11-20')]);
  const other = await lamp('baseline', 'pin', 'score', '--since', '2026-12-06', '--metric', 'sum', '--why', 'x');
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('lamp baseline show score')]);
});

test('lamp replay --last shows how the job answers its frozen examples, and lamp runs --kind replay their runs', async () => {
  const slot = seven + 19 * day;
  const run = { ...newRun('score', slot, 'replay', slot), state: 'succeeded' as const, startedAt: slot, endedAt: slot };
  await world.store.runs.insert(run);
  const worst = [{ example: 'e1', file: 'out.csv', path: 'row 0.score', was: 'number 1', is: 'number 2\u001b[2J' }];
  await world.store.replays.put({
    ...{ job: 'score', run: run.id, slot, reason: 'daily', golden: 'g', repeats: 1, costMs: 900, worst },
    ...{ state: 'moved', changed: 7, of: 20, alarmAt: 1, answers: {}, problems: { e2: 'not over after 60 s' } },
    ...{ error: null, facts: {} },
  });
  const text = await shown('replay', 'score', '--last');
  expect(text.code).toBe(1);
  expect(text.stdout).toContain('answers otherwise than accepted (7 of 20 examples changed, 1 would be no chance)');
  expect(text.stdout).toContain('e1 out.csv row 0.score: number 1 → number 2');
  expect(text.stdout).toContain('e2: not over after 60 s');
  expect(text.stdout).not.toContain('\u001b[2J');
  expect((await lamp('drift', 'score')).stdout).toContain('Replays of score: ');
  expect(await read('runs', 'score', '--kind', 'replay')).toMatchObject([{ trigger: 'replay', state: 'succeeded' }]);
  expect(await read('runs', 'score')).toEqual([]);
});
