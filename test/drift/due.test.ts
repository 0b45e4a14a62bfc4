import { expect, test } from 'vitest';
import { everyDays, isDue, mayStart } from '../../shared/drift/due.ts';
import { evidenceOf } from '../../shared/drift/evidence.ts';
import { newReplayState, type Replayed } from '../../shared/drift/replay.ts';
import { day, hour, minute } from '../../shared/instant.ts';

const at = Date.UTC(2026, 10, 20, 8);

test.each([
  ['not measured yet', null, hour, 0.05, 1],
  ['within a minute a day, however cheap the job is', 50_000, 1_000, 0.05, 1],
  ['within 5 % of the job', 3 * minute, hour, 0.05, 1],
  ['dearer: each week', 10 * minute, hour, 0.05, 7],
  ['still dearer: as rarely as it takes', 40 * minute, hour, 0.05, 14],
  ['at least each quarter', 1_000 * hour, hour, 0.05, 90],
  ['a larger share, more often', 10 * minute, hour, 0.2, 1],
  ['no share, none', 1_000, hour, 0, null],
] as const)('how often a replay may come: %s', (_, roundMs, ownMs, share, days) => {
  expect(everyDays(roundMs, ownMs, share)).toBe(days);
});

test('a replay is due after its days, and a timer that is an hour early still counts', () => {
  const state = { ...newReplayState('score'), starts: [at], everyDays: 7 };
  expect(isDue(state, at + 6 * day)).toBe(false);
  expect(isDue(state, at + 7 * day - hour)).toBe(true);
  expect(isDue({ ...state, everyDays: null }, at + 100 * day)).toBe(false);
  expect(isDue({ ...state, starts: [] }, at)).toBe(true);
});

test('eight changes a day are replayed; a look again, and what a person asks for, is always let through', () => {
  const starts = Array.from({ length: 8 }, (_, i) => at + i * hour);
  const state = { ...newReplayState('score'), starts };
  expect(mayStart(state, 'change', at + 8 * hour)).toBe(false);
  expect(mayStart(state, 'confirm', at + 8 * hour)).toBe(true);
  expect(mayStart(state, 'asked', at + 8 * hour)).toBe(true);
  expect(mayStart(state, 'change', at + 25 * hour)).toBe(true);
});

function replayed(days: number, answer: string, more: Partial<Replayed> = {}): Replayed {
  const answers = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`e${i}`, [answer]]));
  return {
    ...{ job: 'score', run: `r${days}`, slot: at + days * day, reason: 'daily', golden: 'g', repeats: 1, costMs: 1 },
    ...{ state: answer === 'a' ? 'still' : 'moved', changed: answer === 'a' ? 0 : 10, of: 10, alarmAt: 1 },
    ...{ worst: [], answers, problems: {}, error: null, facts: {} },
    ...more,
  };
}

const around = { from: at + 95 * day, since: at + 100 * day };

test('a replay after the change is compared with one from before it, not with a replay inside the doubtful days', () => {
  const replays = [replayed(101, 'b'), replayed(98, 'b'), replayed(94, 'a')];
  expect(evidenceOf(replays, around, 0)).toMatchObject({ state: 'moved', changed: 10, of: 10, run: 'r101' });
});

test('a job that answered otherwise long before the change is no cause of it', () => {
  const replays = [replayed(101, 'b'), replayed(94, 'b'), replayed(20, 'a')];
  expect(evidenceOf(replays, around, 0)).toMatchObject({ state: 'still', changed: 0 });
});

test('without a replay from before, or of the same examples, the accepted answers stand for it', () => {
  expect(evidenceOf([replayed(101, 'b')], around, 0)?.state).toBe('moved');
  expect(evidenceOf([replayed(101, 'a'), replayed(94, 'b', { golden: 'other' })], around, 0)?.state).toBe('still');
});

test('no replay since the change, or one that says nothing, is no evidence', () => {
  expect(evidenceOf([replayed(94, 'a')], around, 0)).toBeNull();
  expect(evidenceOf([replayed(101, 'b', { state: 'unknown' }), replayed(94, 'a')], around, 0)).toBeNull();
});

test('what differs by itself is reckoned with', () => {
  const some = replayed(101, 'a', { answers: { ...replayed(101, 'a').answers, e0: ['x'], e1: ['y'] } });
  expect(evidenceOf([some, replayed(94, 'a')], around, 0)?.state).toBe('moved');
  expect(evidenceOf([some, replayed(94, 'a')], around, 0.2)?.state).toBe('still');
});
