import { describe, expect, test } from 'vitest';
import { defaultBudget } from '../../shared/drift/budget.ts';
import { afterAnswer, pinnedAt } from '../../shared/drift/feedback.ts';
import { kindOf, type MetricState, newState, type Setting, type Sign, see } from '../../shared/drift/state.ts';
import { day, hour, type Instant, minute } from '../../shared/instant.ts';
import type { MetricValue } from '../../shared/run/attempt.ts';
import { stateCodec } from '../../shared/store/drift.ts';
import { series } from '../support/drift/families.ts';

const zero: Instant = Date.UTC(2026, 0, 5, 7);
const setting: Setting = { timeZone: 'Europe/London', fast: false, budget: defaultBudget };
const word = { by: 'dana', why: 'new price list', at: zero };

/** Follows values one a day; `undefined`: the run left none. */
function follow(
  values: (MetricValue | undefined)[],
  state = newState('j', 'm', values[0] ?? 0),
  more = setting,
  first = 0,
) {
  const signs: Sign[] = [];
  const recovered: number[] = [];
  let now: MetricState = state;
  values.forEach((value, i) => {
    const step = see(now, zero + (first + i) * day, value, more);
    now = step.state;
    if (step.sign) signs.push(step.sign);
    if (step.recovered) recovered.push(first + i);
  });
  return { state: now, signs, recovered };
}

const noise = (n: number, seed = 'quiet') => series('normal', seed, n).values as number[];
const shifted = (n: number, seed: string, by = 0.07) => noise(n, seed).map((value) => value + by);

describe('what a metric is compared with', () => {
  test('a shift is one sign, and stays one while it lasts', () => {
    const { signs, state } = follow([...noise(40), ...shifted(14, 'up')]);
    expect(signs).toHaveLength(1);
    expect(signs[0]).toMatchObject({ kind: 'shift_up', since: zero + 40 * day });
    expect(signs[0]?.numbers.after).toBeGreaterThan(signs[0]?.numbers.high ?? 1);
    expect(state.drifted?.since).toBe(zero + 40 * day);
  });

  test('a second change during the first is seen as well', () => {
    const { signs } = follow([...noise(40), ...shifted(25, 'up'), ...shifted(15, 'further', 0.2)]);
    expect(signs.map(({ since }) => Math.round((since - zero) / day))).toEqual([40, 65]);
  });

  test('five runs back inside the usual range are a recovery, and the time outside is not learnt', () => {
    const { recovered, state } = follow([...noise(40), ...shifted(8, 'up'), ...noise(20, 'back')]);
    expect(recovered).toHaveLength(1);
    expect(state.drifted).toBeNull();
    expect(state.points.some(({ slot }) => slot >= zero + 40 * day && slot < zero + 46 * day)).toBe(false);
  });

  test('nothing is judged before the fifteenth run', () => {
    expect(follow([...noise(8), ...shifted(6, 'up', 10)]).signs).toEqual([]);
  });

  test('years of runs keep the oldest 90 and the latest 90', () => {
    const { state } = follow(noise(400));
    expect(state.points).toHaveLength(180);
    expect(state.points[0]?.slot).toBe(zero);
    expect(state.runs).toBe(400);
  });
});

describe('runs that do not come in order', () => {
  test('a rerun of a past slot takes the place of its value and raises nothing', () => {
    const { state } = follow(noise(30));
    const step = see(state, zero + 10 * day, 999, setting);
    expect(step.sign).toBeUndefined();
    expect(step.state.points).toHaveLength(30);
    expect(step.state.points[10]?.value).toBe(999);
  });

  test('a backfill before the first run goes to the front', () => {
    const { state } = follow(noise(5));
    expect(see(state, zero - day, 7, setting).state.points[0]).toEqual({ slot: zero - day, value: 7 });
  });

  test('the follow-up done twice changes nothing', () => {
    const { state } = follow(noise(30));
    const again = see(state, zero + 29 * day, noise(30)[29], setting);
    expect(again.state).toEqual(state);
  });

  test('two runs in one day of a daily job are two values', () => {
    const { state } = follow(noise(20));
    expect(see(state, zero + 19 * day + 3 * hour, 0.64, setting).state.points).toHaveLength(21);
  });

  test('a job that was paused for three months invents no change, and one that came back otherwise is found', () => {
    const { state } = follow(noise(60));
    expect(follow(noise(40, 'back'), state, setting, 150).signs).toEqual([]);
    const [sign] = follow(shifted(12, 'other'), state, setting, 150).signs;
    expect(sign).toMatchObject({ kind: 'shift_up', since: zero + 150 * day });
  });

  test.each([
    ['constant', () => 7],
    ['1e18 and constant', () => 1e18],
    ['always zero', () => 0],
    ['five runs only', (i: number) => (i < 5 ? [1, 900, 2, 1e6, -5][i] : undefined)],
    ['in every third run only', (i: number) => (i % 3 === 0 ? 7 + (i % 2) : undefined)],
  ])('a metric that is %s raises nothing', (_, value) => {
    const kinds = follow(Array.from({ length: 90 }, (_, i) => value(i))).signs.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind !== 'missing')).toEqual([]);
  });

  test('weekdays follow the clock of the job across a clock change', () => {
    const week = [1, 1, 1, 1, 1, 0.4, 0.4];
    const wobble = noise(120, 'clock').map((value, i) => 100 * (week[i % 7] ?? 1) * (value / 0.64));
    const summer = Date.UTC(2026, 2, 29, 1);
    let state = newState('j', 'm', 1);
    const found = wobble.flatMap((value, i) => {
      const slot = zero + i * day;
      const step = see(state, slot >= summer ? slot - hour : slot, value, setting);
      state = step.state;
      return step.sign ? [step.sign] : [];
    });
    expect(found).toEqual([]);
  });
});

describe('metrics that break their contract', () => {
  test('a metric that vanishes is reported once, and is well when it is there again', () => {
    const gone = follow([...noise(30), undefined, undefined, undefined, undefined, ...noise(3, 'again')]);
    expect(gone.signs.map(({ kind }) => kind)).toEqual(['missing']);
    expect(gone.signs[0]).toMatchObject({ since: zero + 30 * day, found: zero + 30 * day + day });
    expect(gone.recovered).toEqual([34]);
  });

  test('a renamed metric is missing under its old name and learns under its new one', () => {
    const old = follow([...noise(30), undefined, undefined]);
    const fresh = follow(noise(2), newState('j', 'm2', 1), setting, 30);
    expect(old.signs[0]?.kind).toBe('missing');
    expect(fresh.signs).toEqual([]);
  });

  test('another type is reported and does not enter the baseline', () => {
    const { signs, state } = follow([...noise(20), { a: 1 }]);
    expect(signs[0]?.kind).toBe('type');
    expect(state.points).toHaveLength(20);
  });

  test('rows of an output are counts, empty cells are shares, categories are a mix', () => {
    expect(kindOf('output:a.csv/rows', 5)).toBe('count');
    expect(kindOf('output:a.csv/mail.nulls', 0.1)).toBe('share');
    expect(kindOf('anything', { a: 1 })).toBe('mix');
    expect(kindOf('score.nulls', 1)).toBe('gauge');
  });
});

describe('what an owner says', () => {
  const drifted = () => follow([...noise(40), ...shifted(14, 'up')]).state;

  test('expected from now on: the change is the norm, and the way back is a change', () => {
    const state = afterAnswer(drifted(), 'expected', word, new Set(['m']));
    expect(state).toMatchObject({ drifted: null, pinned: word });
    expect(state.points[0]?.slot).toBe(zero + 40 * day);
    const back = follow([...shifted(10, 'more'), ...noise(12, 'back')], state, setting, 54);
    expect(back.signs.map(({ kind }) => kind)).toContain('shift_down');
  });

  test('expected once: the runs since leave the baseline, which stays', () => {
    const state = afterAnswer(drifted(), 'once', word, new Set(['m']));
    expect(state.points).toHaveLength(40);
    expect(follow(noise(20, 'usual'), state, setting, 54).signs).toEqual([]);
  });

  test('real: nothing moves', () => {
    const state = drifted();
    expect(afterAnswer(state, 'real', word, new Set(['m']))).toBe(state);
  });

  test('a pin set by hand starts a baseline at that run', () => {
    expect(pinnedAt(follow(noise(30)).state, zero + 20 * day, word)).toMatchObject({ runs: 10, pinned: word });
  });

  test('only the direction that was declared is a finding', () => {
    const values = [...noise(40), ...shifted(14, 'up')];
    expect(follow(values, undefined, { ...setting, direction: 'down' }).signs).toEqual([]);
    expect(follow(values, undefined, { ...setting, direction: 'up' }).signs).toHaveLength(1);
  });
});

describe('late values of a job that runs more than once a day', () => {
  const fast = { ...setting, fast: true };
  /** A run each hour of these days. */
  const hours = (days: number[], value = (day: number, hour: number) => 100 + day + hour / 100) =>
    days.flatMap((one) => Array.from({ length: 24 }, (_, i) => ({ slot: one * day + i * hour, value: value(one, i) })));
  const from = Date.UTC(2026, 0, 5);
  const seen = (points: { slot: number; value: number }[], state = newState('j', 'm', 1)) =>
    points.reduce((now, { slot, value }) => see(now, from + slot, value, fast).state, state);

  test('a rerun of one hour leaves the median of its day as it is, and today as well', () => {
    const state = seen(hours([0, 1, 2, 3]));
    expect(state.points.map(({ value }) => Number(value).toFixed(3))).toEqual(['100.115', '101.115', '102.115']);
    for (const at of [1 * day + 5 * hour, 3 * day + 2 * hour]) {
      const step = see(state, from + at, 9_999, fast);
      expect([step.state, step.sign]).toEqual([state, undefined]);
    }
  });

  test('a day that an outage hid gets one value when it is backfilled: the median of its runs', () => {
    const state = seen(hours([0, 1, 3, 4]));
    const some = seen(hours([2]), state);
    expect(some.points).toEqual(state.points);
    const next = seen(hours([5]).slice(0, 1), some);
    const days = (points: MetricState['points']) => points.map(({ slot }) => (slot - from) / day);
    expect(days(next.points)).toEqual([0, 1, 2, 3, 4]);
    expect(next.points[2]?.value).toBeCloseTo(102.115, 9);
    expect([next.last, next.lateDay ?? null]).toEqual([from + 5 * day, null]);
  });

  test('a backfill of months fills day by day, and raises nothing', () => {
    const live = seen(hours([60, 61]));
    const state = seen(hours(Array.from({ length: 40 }, (_, i) => 10 + i)), live);
    // The last of them is closed when the day changes.
    expect(state.points).toHaveLength(40);
    expect(state.points.map(({ value }) => Math.floor(Number(value)))).toEqual([
      ...Array.from({ length: 39 }, (_, i) => 110 + i),
      160,
    ]);
    expect([state.runs, state.drifted]).toEqual([live.runs, null]);
  });

  test('what lies before a pin does not come back into the norm, nor what was under way then', () => {
    const half = seen(hours([1]).slice(0, 5), seen(hours([0, 2, 3, 4])));
    const pinned = pinnedAt(half, from + 3 * day, word);
    const after = seen([...hours([1]).slice(5), ...hours([5])], pinned);
    expect(after.points.map(({ slot }) => (slot - from) / day)).toEqual([3, 4]);
  });

  test('a minute job with long fractions keeps every day of its baseline in its row', () => {
    let state = newState('j', 'm', 1);
    const minutes = Array.from({ length: 1_440 }, (_, i) => i * minute);
    for (let at = 0; at < 185; at++) {
      const slots = at < 184 ? [0, hour] : minutes;
      for (const slot of slots)
        state = see(state, from + at * day + slot, Math.sin(at + slot) / 3, { ...fast, timeZone: 'UTC' }).state;
    }
    expect(state.points.length).toBeGreaterThanOrEqual(180);
    const row = stateCodec.encode(state);
    const back = stateCodec.decode({ ...row, partitionKey: 'j' });
    expect(back.points).toHaveLength(state.points.length);
    expect(back.today?.values).toHaveLength(1_440);
  });
});

test('a value from before a pin, come late, is no part of the norm', () => {
  const { state } = follow(noise(40));
  const pinned = pinnedAt(state, zero + 20 * day, word);
  expect(see(pinned, zero + 5 * day, 999, setting).state).toEqual(pinned);
  expect(see(pinned, zero + 25 * day, 0.5, setting).state.points[5]?.value).toBe(0.5);
});

test('a job of every hour is judged once a day, on the median of the day', () => {
  const fast = { ...setting, fast: true };
  let state = newState('j', 'm', 1);
  const signs: Sign[] = [];
  for (let i = 0; i < 24 * 60; i++) {
    const value = (noise(1, `hour ${i}`)[0] ?? 0) + 0.2 * Math.sin((i % 24) / 4) + (i >= 24 * 45 ? 0.1 : 0);
    const step = see(state, zero + i * hour, value, fast);
    state = step.state;
    if (step.sign) signs.push(step.sign);
  }
  expect(signs).toHaveLength(1);
  expect(Math.abs((signs[0]?.since ?? 0) - (zero + 45 * day))).toBeLessThanOrEqual(day);
  expect(state.points.length).toBeLessThanOrEqual(61);
});
