import { describe, expect, test } from 'vitest';
import { defaultBudget } from '../../shared/drift/budget.ts';
import { afterAnswer, pinnedAt } from '../../shared/drift/feedback.ts';
import { kindOf, type MetricState, newState, type Setting, type Sign, see } from '../../shared/drift/state.ts';
import { day, hour, type Instant } from '../../shared/instant.ts';
import type { MetricValue } from '../../shared/run/attempt.ts';
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
