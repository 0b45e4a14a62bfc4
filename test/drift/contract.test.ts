import { describe, expect, test } from 'vitest';
import { checkValues } from '../../shared/drift/check.ts';
import { acceptColumns, type Breach, type Columns, newColumns, seeColumns } from '../../shared/drift/columns.ts';
import { afterAnswer } from '../../shared/drift/feedback.ts';
import { type MetricState, newState, type Sign } from '../../shared/drift/state.ts';
import { day, type Instant } from '../../shared/instant.ts';
import type { OutputProfile } from '../../shared/run/attempt.ts';
import { chanceFor } from '../support/drift/families.ts';

const zero: Instant = Date.UTC(2026, 0, 5, 7);
type Profiled = OutputProfile['columns'][number];

const column = (name: string, type: Profiled['type'] = 'number', nulls = 0): Profiled => ({ name, type, nulls });
const profile = (columns: Profiled[], rows = 100): OutputProfile => ({ format: 'csv', rows, columns, partial: false });
const usual = [column('id', 'text'), column('score'), column('region', 'text')];

function follow(profiles: OutputProfile[], columns: Columns = newColumns()) {
  const found: (Breach & { run: number })[] = [];
  const over: (Breach & { run: number })[] = [];
  let now = columns;
  profiles.forEach((one, run) => {
    const seen = seeColumns(now, zero + run * day, one);
    now = seen.columns;
    found.push(...seen.found.map((breach) => ({ ...breach, run })));
    over.push(...seen.over.map((breach) => ({ ...breach, run })));
  });
  return { columns: now, found, over };
}

const times = (n: number, columns: Profiled[], rows = 100) => Array.from({ length: n }, () => profile(columns, rows));
const without = (name: string) => usual.filter((one) => one.name !== name);
const withType = (name: string, type: Profiled['type']) =>
  usual.map((one) => (one.name === name ? { ...one, type } : one));

describe('the columns of an output', () => {
  test('a lost column is a breach at the first run without it, and once', () => {
    const { found } = follow([...times(20, usual), ...times(5, without('score'))]);
    expect(found).toMatchObject([{ kind: 'lost', column: 'score', run: 20, before: 20 }]);
  });

  test('a new column is a breach at its first run, and once', () => {
    const { found } = follow([...times(20, usual), ...times(30, [...usual, column('extra')])]);
    expect(found).toMatchObject([{ kind: 'new', column: 'extra', run: 20 }]);
  });

  test('one lost and one new that hold the same are one that was renamed', () => {
    const renamed = usual.map((one) => (one.name === 'score' ? { ...one, name: 'final_score' } : one));
    expect(follow([...times(20, usual), ...times(2, renamed)]).found).toMatchObject([
      { kind: 'renamed', column: 'score', to: 'final_score' },
    ]);
  });

  test('one lost and one new that hold something else are two', () => {
    const other = [...without('score'), column('comment', 'text')];
    expect(
      follow([...times(20, usual), ...times(2, other)])
        .found.map(({ kind }) => kind)
        .sort(),
    ).toEqual(['lost', 'new']);
  });

  test('text among numbers is a breach, numbers where there was text only when there are enough of them', () => {
    expect(follow([...times(20, usual), profile(withType('score', 'mixed'))]).found).toMatchObject([
      { kind: 'retyped', column: 'score', from: 'number', to: 'mixed' },
    ]);
    expect(follow([...times(20, usual), profile(withType('region', 'number'), 3)]).found).toEqual([]);
    expect(follow([...times(20, usual), profile(withType('region', 'number'), 300)]).found).toHaveLength(1);
  });

  test('an empty column, an empty file and a file of no rows have no other type', () => {
    expect(follow([...times(20, usual), profile(withType('score', 'empty')), profile(usual, 0)]).found).toEqual([]);
    expect(follow([...times(20, usual), profile([], 0), ...times(2, usual)]).found).toEqual([]);
  });

  test('what is back as it was is over, and is news the next time', () => {
    const { found, over } = follow([
      ...times(20, usual),
      ...times(3, without('score')),
      ...times(20, usual),
      ...times(3, withType('score', 'text')),
      ...times(2, usual),
    ]);
    expect(found.map(({ kind, run }) => [kind, run])).toEqual([
      ['lost', 20],
      ['retyped', 43],
    ]);
    expect(over.map(({ kind, run }) => [kind, run])).toEqual([
      ['lost', 23],
      ['retyped', 46],
    ]);
  });

  test('nothing is a breach in the first fifteen runs', () => {
    for (const other of [without('score'), [...usual, column('extra')], withType('score', 'text')]) {
      expect(follow([...times(14, usual), ...times(1, other)]).found).toEqual([]);
    }
  });

  test('optional fields that come and go raise nothing', () => {
    const chance = chanceFor('optional');
    const runs = Array.from({ length: 400 }, () => {
      const extra = [0.3, 0.5, 0.7].flatMap((share, i) =>
        chance.uniform() < share ? [column(`extra ${i}`, 'text', 0.8)] : [],
      );
      return profile([...usual, ...extra]);
    });
    expect(follow(runs).found).toEqual([]);
  });

  test('a field that few rows hold may be absent once, and is lost when it stays out', () => {
    const sparse = [...usual, column('note', 'text', 0.9)];
    expect(follow([...times(30, sparse), ...times(1, usual), ...times(9, sparse)]).found).toEqual([]);
    expect(follow([...times(30, sparse), ...times(5, usual)]).found).toMatchObject([{ kind: 'lost', run: 31 }]);
  });

  test('a field that few rows hold and that comes in late is news when it stays for three runs', () => {
    const sparse = [...usual, column('note', 'text', 0.9)];
    expect(follow([...times(20, usual), ...times(1, sparse), ...times(9, usual)]).found).toEqual([]);
    expect(follow([...times(20, usual), ...times(9, sparse)]).found).toMatchObject([{ kind: 'new', run: 22 }]);
  });

  test('a table with a column for each day or month is not reported each time', () => {
    const daily = Array.from({ length: 200 }, (_, i) => profile([...usual, column(`day ${i}`)]));
    expect(follow(daily).found).toEqual([]);
    const monthly = Array.from({ length: 365 }, (_, i) =>
      profile([...usual, ...Array.from({ length: 1 + Math.floor(i / 22) }, (_, month) => column(`month ${month}`))]),
    );
    expect(follow(monthly).found.length).toBeLessThanOrEqual(2);
  });

  test('accepted is what there is now: the old column may stay out, and the next change is seen', () => {
    const { columns } = follow([...times(20, usual), ...times(3, without('score'))]);
    const accepted = acceptColumns(columns, new Set(['score']));
    expect(follow(times(20, without('score')), accepted).found).toEqual([]);
    const next = [column('id', 'text'), column('fresh')];
    expect(
      follow(times(2, next), accepted)
        .found.map((one) => one.column)
        .sort(),
    ).toContain('region');
  });

  test('columns called like parts of an object, or hundreds of them, are columns like any other', () => {
    const odd = [column('__proto__'), column('constructor')];
    expect(follow([...times(20, odd), ...times(1, odd.slice(1))]).found).toMatchObject([
      { kind: 'lost', column: '__proto__' },
    ]);
    const wide = Array.from({ length: 100 }, (_, i) => column(`${'long name '.repeat(9)}${i}`));
    expect(JSON.stringify(follow(times(3, wide)).columns).length).toBeLessThan(16_000);
  });
});

describe('the values of counts by category', () => {
  const plain = { done: 60, open: 30, new: 10 };

  function see(mixes: Record<string, number>[], state: MetricState = newState('j', 'status', plain)) {
    const signs: (Sign & { run: number })[] = [];
    const over: number[] = [];
    let now = state;
    mixes.forEach((mix, i) => {
      const checked = checkValues(now, zero + i * day, mix);
      now = checked.state;
      signs.push(...checked.signs.map((sign) => ({ ...sign, run: i })));
      if (checked.over.length > 0) over.push(i);
    });
    return { state: now, signs, over };
  }
  const many = (n: number, mix: Record<string, number> = plain) => Array.from({ length: n }, () => mix);

  test('one that never came in is a breach once, and is over when it is gone', () => {
    const { signs, over } = see([...many(20), ...many(3, { ...plain, cancelled: 2 }), ...many(2)]);
    expect(signs).toMatchObject([{ kind: 'value', run: 20 }]);
    expect(signs[0]?.numbers.detail).toBe(
      '"cancelled" came up in the figure "status"; the 20 runs before had only "done", "new", "open"',
    );
    expect(over).toEqual([23]);
  });

  test('a value that was reported is known, unless its owner calls it a problem', () => {
    const odd = { ...plain, cancelled: 2 };
    expect(see([...many(20), odd, ...many(30), odd]).signs).toHaveLength(1);
    const { state } = see([...many(20), odd]);
    const word = { by: 'dana', why: 'wrong', at: zero };
    const real = afterAnswer(state, 'real', word, new Set(['status']));
    expect(see([...many(60), odd], real).signs).toHaveLength(1);
    const expected = afterAnswer(state, 'expected', word, new Set(['status']));
    expect(see([odd, ...many(60), odd], expected).signs).toEqual([]);
  });

  test('a category with no rows is none, and the first fifteen runs raise nothing', () => {
    expect(see([...many(20), { ...plain, cancelled: 0 }]).signs).toEqual([]);
    expect(see([...many(10), { ...plain, cancelled: 5 }, ...many(4)]).signs).toEqual([]);
  });

  test('categories with a long tail are no enumeration', () => {
    const chance = chanceFor('tail');
    const mixes = Array.from({ length: 400 }, () => {
      const mix: Record<string, number> = {};
      for (let row = 0; row < 60; row++) {
        const name = `c${Math.floor(1 / (chance.uniform() + 0.02))}`;
        mix[name] = (mix[name] ?? 0) + 1;
      }
      return mix;
    });
    expect(see(mixes).signs.length).toBeLessThanOrEqual(1);
    expect(see([...many(20), { ...plain, '…': 4 }, ...many(40), { ...plain, odd: 1 }]).signs).toEqual([]);
  });

  test('a new model is no breach: models are named as causes', () => {
    const model = newState('j', 'model', { a: 1 });
    expect(see([...many(20, { 'scorer-1': 5 }), { 'scorer-2': 5 }], model).signs).toEqual([]);
  });
});
