import { expect, test } from 'vitest';
import { minute } from '../../shared/instant.ts';
import type { AttemptResult, OutputProfile } from '../../shared/run/attempt.ts';
import { kept, leftOut, measured } from '../../shared/run/metrics.ts';
import { conclude } from '../../shared/run/outcome.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { seven, started } from '../support/pipeline/cast.ts';
import { resultOf } from '../support/pipeline/executor.ts';

type Column = OutputProfile['columns'][number];
const number = (name: string): Column => ({
  name,
  type: 'number',
  nulls: 0.1,
  min: 1,
  max: 9,
  mean: 5,
  sd: 2,
  distinct: 9,
});

function resultWith(more: Partial<AttemptResult>): AttemptResult {
  const id = { job: 'score', run: '20261120T070000Z', attempt: 1 };
  return { ...resultOf(id, seven, seven + 3 * minute, 'succeeded'), cpuMs: 7, peakMemoryBytes: 8, ...more };
}

function withTable(path: string, rows: number, columns: Column[]): AttemptResult['outputs'] {
  return [{ path, bytes: 1, sha256: 'x', profile: { format: 'csv', rows, columns, partial: false } }];
}

function ended(result: AttemptResult): Run {
  return conclude(started(), { kind: 'result', result }, undefined, seven + 3 * minute, 0);
}

const of = (result: AttemptResult) => Object.fromEntries(measured(ended(result), result));

test('the run itself is measured, from the start of the job and not of its packages', () => {
  const result = resultWith({ jobStartedAt: new Date(seven + minute).toISOString() });
  expect(of({ ...result, log: { ...result.log, bytes: 55 } })).toEqual({
    'run:duration_ms': 2 * minute,
    'run:cpu_ms': 7,
    'run:peak_memory_bytes': 8,
    'run:log_bytes': 55,
  });
});

test('what the script reports keeps its name, and its outputs are measured by row and column', () => {
  const status: Column = {
    name: 'status',
    type: 'text',
    nulls: 0,
    distinct: 3,
    top: [
      ['open', 60],
      ['won', 30],
    ],
  };
  const id: Column = { name: 'id', type: 'text', nulls: 0, distinct: 100, top: [['a', 1]] };
  const outputs = withTable('out.csv', 100, [number('score'), status, id]);
  expect(of(resultWith({ metrics: { rows_scored: 100, tiers: { a: 1 } }, outputs }))).toMatchObject({
    rows_scored: 100,
    tiers: { a: 1 },
    'output:out.csv/rows': 100,
    'output:out.csv/columns': 3,
    'output:out.csv/score.nulls': 0.1,
    'output:out.csv/score.mean': 5,
    'output:out.csv/score.sd': 2,
    'output:out.csv/status.mix': { open: 60, won: 30, '…': 10 },
  });
  const names = measured(ended(resultWith({ outputs })), resultWith({ outputs }));
  expect(names.has('output:out.csv/id.mix')).toBe(false);
});

test('columns and categories of the same name, or called as what JavaScript knows, do not hide one another', () => {
  const odd: Column = {
    name: '__proto__',
    type: 'text',
    nulls: 0,
    distinct: 1,
    top: [
      ['__proto__', 4],
      ['***', 3],
      ['***', 3],
    ],
  };
  const outputs = withTable('o.csv', 10, [number('a'), number('a'), odd, odd]);
  const all = measured(ended(resultWith({ outputs })), resultWith({ outputs }));
  expect([...all.keys()].filter((name) => name.endsWith('.mean'))).toEqual([
    'output:o.csv/a.mean',
    'output:o.csv/a (2).mean',
  ]);
  expect(Object.entries(all.get('output:o.csv/__proto__ (2).mix') ?? {})).toEqual([
    ['__proto__', 4],
    ['***', 6],
  ]);
});

test('a table of 100 columns: what matters most is kept, and a warning names what is not', () => {
  const outputs = withTable(
    'wide.csv',
    9,
    Array.from({ length: 100 }, (_, at) => number(`c${at}`)),
  );
  const result = resultWith({ outputs, metrics: { mine: 1 } });
  const run = ended(result);
  const all = measured(run, result);
  const names = [...kept(all).keys()];
  expect(names).toHaveLength(200);
  expect(names).toEqual(
    expect.arrayContaining(['run:duration_ms', 'mine', 'output:wide.csv/rows', 'output:wide.csv/c0.mean']),
  );
  expect(run.warnings).toEqual(leftOut(all));
  expect(run.warnings[0]).toMatch(/^507 metrics, and at most 200 a run are kept, without "output:wide.csv\/c96.mean"/);
});

test('a run that no one began has no measures, one that was lost has its time', () => {
  expect(measured(newRun('score', seven, 'schedule', seven, { state: 'missed' }), undefined).size).toBe(0);
  const lost = conclude(started(), { kind: 'lost', message: 'gone' }, undefined, seven + minute, 0);
  expect(Object.fromEntries(measured(lost, undefined))).toEqual({ 'run:duration_ms': minute });
});
