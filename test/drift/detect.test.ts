import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { detectLines } from '../../cli/commands/detect.ts';
import { detect } from '../../shared/drift/detect.ts';
import { chanceFor, families, series } from '../support/drift/families.ts';

const noise = (n: number, seed = 'noise') => series('normal', seed, n).values as number[];

describe('a series followed run by run', () => {
  test('a level that moves by three deviations is found within ten runs, where it began', () => {
    const { values, hint } = series('normal', 'moved', 80, { at: 50, size: 3, form: 'shift' });
    const [flag] = detect({ id: 'm', hint, period: 7, values });
    expect(flag?.kind).toBe('shift_up');
    expect(flag?.index).toBeLessThanOrEqual(60);
    expect(Math.abs((flag?.cp ?? 0) - 50)).toBeLessThanOrEqual(1);
  });

  test('a slow ramp is found, for the oldest runs stay in the comparison', () => {
    const { values, hint } = series('normal', 'ramp', 150, { at: 40, size: 4, form: 'ramp' });
    expect(detect({ id: 'm', hint, period: 7, values }).some(({ kind }) => kind === 'shift_up')).toBe(true);
  });

  test('weekends are no drift, and a shift of the weekdays under them is', () => {
    const still = series('weekdays', 'week', 120);
    expect(detect({ id: 'm', hint: 'count', period: 7, values: still.values })).toEqual([]);
    const moved = series('weekdays', 'week', 120, { at: 70, size: -3, form: 'shift' });
    expect(detect({ id: 'm', hint: 'count', period: 7, values: moved.values })[0]?.kind).toBe('shift_down');
  });

  test('what is flagged at a run does not depend on the runs after it', () => {
    const { values, hint } = series('memory5', 'cut', 120, { at: 60, size: 3, form: 'shift' });
    const whole = detect({ id: 'm', hint, period: 7, values });
    expect(whole.length).toBeGreaterThan(0);
    for (const cut of [40, 65, 75, 100]) {
      const part = detect({ id: 'm', hint, period: 7, values: values.slice(0, cut) });
      expect(part).toEqual(whole.filter(({ index }) => index < cut));
    }
  });

  test('sixteen kinds of noise for a year give at most one false alert for each job of eight metrics', () => {
    const years = Object.keys(families).flatMap((family) =>
      [0, 1].map((k) => ({ family, ...series(family, `year ${k}`, 365) })),
    );
    const alerts = years.reduce((sum, { family, values, hint, denominators }) => {
      const flags = detect({ id: `${family}`, hint, period: 7, values, denominators });
      return sum + flags.filter(({ kind }) => kind !== 'spike').length;
    }, 0);
    expect(alerts).toBeLessThanOrEqual(years.length / 8 + 3);
  });
});

describe('metrics that are no plain series', () => {
  test.each([
    ['constant', Array.from({ length: 100 }, () => 7)],
    ['all null', Array.from({ length: 100 }, () => null)],
    ['five runs only', [1, 900, 2, 1_000_000, -5]],
    ['of 1e18', noise(100).map((value) => value * 1e18)],
    ['of 1e-18', noise(100).map((value) => value * 1e-18)],
    ['alternating between two values', Array.from({ length: 100 }, (_, i) => i % 2)],
    ['almost always zero', Array.from({ length: 100 }, (_, i) => (i % 25 === 3 ? 1 : 0))],
  ])('%s: no alert', (_, values) => {
    expect(detect({ id: 'm', hint: 'gauge', period: 7, values }).filter(({ kind }) => kind !== 'spike')).toEqual([]);
  });

  test('negative counts are judged, not fatal', () => {
    const values = [...noise(60).map((value) => value * 100 - 300), ...noise(20, 'later').map((value) => value * 100)];
    const flags = detect({ id: 'm', hint: 'count', period: 0, values });
    expect(flags).toContainEqual(expect.objectContaining({ kind: 'shift_up', cp: 60 }));
  });

  test('a shift of 3 deviations at 1e18 is found like one at 1', () => {
    const { values } = series('normal', 'big', 80, { at: 50, size: 4, form: 'shift' });
    const big = values.map((value) => (value ?? 0) * 1e18);
    const where = (of: (number | null)[]) => detect({ id: 'm', hint: 'gauge', values: of }).map(({ cp }) => cp);
    expect(where(big)).toEqual([50]);
    expect(where(values)).toEqual([50]);
  });

  test('a constant that changes for good is found after four runs', () => {
    const values = Array.from({ length: 60 }, (_, i) => (i < 40 ? 7 : 8));
    const [flag] = detect({ id: 'm', hint: 'gauge', values }).filter(({ kind }) => kind !== 'spike');
    expect(flag).toMatchObject({ kind: 'shift_up', cp: 40 });
    expect(flag?.index).toBeLessThanOrEqual(43);
  });

  test('NaN and infinity are reported at once and do not enter the reference', () => {
    const values = [...noise(40), Number.NaN, Number.POSITIVE_INFINITY, ...noise(40, 'after')];
    expect(detect({ id: 'm', hint: 'gauge', values })).toEqual([
      { index: 40, kind: 'nan' },
      { index: 41, kind: 'nan' },
    ]);
  });

  test('rows that were never zero and are zero now are reported at once; rare events that are absent once are not', () => {
    expect(detect({ id: 'm', hint: 'count', values: [...series('steady', 'zero', 40).values, 0] })).toContainEqual(
      expect.objectContaining({ index: 40, kind: 'zero' }),
    );
    const rare = series('rare', 'zero', 60).values.map((value) => Math.max(1, value ?? 1));
    expect(detect({ id: 'm', hint: 'count', values: [...rare, 0] })).toEqual([]);
  });

  test('a metric that vanishes is missing at its second absence, one that often skips runs is not', () => {
    const gone = [...noise(40), null, null, null, null];
    expect(detect({ id: 'm', hint: 'gauge', values: gone })).toEqual([{ index: 41, kind: 'missing' }]);
    const sparse = series('normal', 'sparse', 90, undefined, 0.3).values;
    expect(detect({ id: 'm', hint: 'gauge', values: sparse })).toEqual([]);
  });

  test('a pause of three months does not hide a change nor invent one', () => {
    const pause = Array.from({ length: 90 }, () => null);
    const still = [...noise(60), ...pause, ...noise(60, 'back')];
    expect(detect({ id: 'm', hint: 'gauge', values: still }).filter(({ kind }) => kind !== 'missing')).toEqual([]);
    const moved = [...noise(60), ...pause, ...noise(20, 'back').map((value) => value + 0.06)];
    expect(detect({ id: 'm', hint: 'gauge', values: moved })).toContainEqual(
      expect.objectContaining({ kind: 'shift_up', cp: 150 }),
    );
  });

  test('a mix that moves a tenth of its rows is found; a new category counts as a change of the mix', () => {
    const row = (i: number, moved: number) => ({ A: 60 + (i % 5) - moved, B: 30 - (i % 3), C: 20 + (i % 4) + moved });
    const values = Array.from({ length: 60 }, (_, i) => row(i, i < 40 ? 0 : 12));
    expect(detect({ id: 'm', hint: 'mix', values })[0]).toMatchObject({ kind: 'mix', cp: 40 });
    const fresh = Array.from({ length: 60 }, (_, i) => (i < 40 ? row(i, 0) : { ...row(i, 0), Z: 15 }));
    expect(detect({ id: 'm', hint: 'mix', values: fresh })[0]).toMatchObject({ kind: 'mix', cp: 40 });
  });

  test('a mix that is another one at weekends is no drift, and a change under it is found', () => {
    const chance = chanceFor('weekend mix');
    const rows = (i: number, moved: number) => {
      const share = (i % 7 > 4 ? 0.5 : 0.2) + moved;
      const shop = Array.from({ length: 300 }, () => chance.uniform()).filter((one) => one < share).length;
      return { shop, web: 300 - shop };
    };
    const still = Array.from({ length: 120 }, (_, i) => rows(i, 0));
    expect(detect({ id: 'm', hint: 'mix', period: 7, values: still })).toEqual([]);
    const moved = Array.from({ length: 90 }, (_, i) => rows(i, i < 60 ? 0 : 0.12));
    const [flag] = detect({ id: 'm', hint: 'mix', period: 7, values: moved });
    expect(flag?.kind).toBe('mix');
    expect(flag?.index).toBeLessThanOrEqual(66);
    const blind = detect({ id: 'm', hint: 'mix', period: 0, values: moved });
    expect(blind[0]?.index ?? 90).toBeGreaterThan(flag?.index ?? 0);
  });

  test('a mix whose categories are called like parts of an object, or that is empty, is judged like any other', () => {
    const values = Array.from({ length: 40 }, (_, i) =>
      i % 7 === 3 ? {} : { constructor: 5 + (i % 3), __proto__x: 9 },
    );
    expect(() => detect({ id: 'm', hint: 'mix', values })).not.toThrow();
  });

  test('a number where counts were, or the other way round, is a change of type', () => {
    expect(detect({ id: 'm', hint: 'mix', values: [{ a: 1 }, 5] })).toEqual([{ index: 1, kind: 'type' }]);
    expect(detect({ id: 'm', hint: 'gauge', values: [5, { a: 1 }] })).toEqual([{ index: 1, kind: 'type' }]);
  });
});

describe('lamp detect', () => {
  async function run(input: string) {
    const from = new PassThrough();
    const to = new PassThrough();
    const problems: string[] = [];
    from.end(input);
    const exitCode = await detectLines(from, to, { budget: 1, metrics: 8, notes: false }, (line) =>
      problems.push(line),
    );
    to.end();
    return { exitCode, problems, lines: (await text(to)).split('\n').filter(Boolean) };
  }

  test('writes a line of flags for each line of values', async () => {
    const { values } = series('normal', 'moved', 80, { at: 50, size: 3, form: 'shift' });
    const { lines, exitCode } = await run(
      `${JSON.stringify({ id: 'a', hint: 'gauge', values })}\n\n{"id":"b","values":[]}`,
    );
    expect(exitCode).toBe(0);
    expect(JSON.parse(lines[0] ?? '').flags[0].kind).toBe('shift_up');
    expect(lines[1]).toBe('{"id":"b","flags":[]}');
  });

  test('names the line it cannot read, judges the others, and exits with 1', async () => {
    const { lines, problems, exitCode } = await run('{"id":"a","values":[1]}\nnonsense\n{"id":"b","values":"x"}\n');
    expect(exitCode).toBe(1);
    expect(lines).toEqual(['{"id":"a","flags":[]}']);
    expect(problems[0]).toMatch(/^line 2: is no JSON/);
    expect(problems[1]).toMatch(/^line 3: values: /);
  });

  test("reads Python's NaN and Infinity", async () => {
    const { lines } = await run('{"id":"a","values":[1,NaN,-Infinity]}\n');
    expect(JSON.parse(lines[0] ?? '').flags).toEqual([
      { index: 1, kind: 'nan' },
      { index: 2, kind: 'nan' },
    ]);
  });
});
