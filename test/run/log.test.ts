import { expect, test } from 'vitest';
import { readLog } from '../../shared/run/log.ts';
import { at, log } from '../support/shim/log.ts';

test('records have their time, their writer and whether they go on; what is not whole yet is left', () => {
  const { records, rest } = readLog(Buffer.concat([log, Buffer.from(at)]));
  expect(rest.toString()).toBe(at);
  expect(records.map(({ from, continues }) => `${from}${continues ? '+' : ''}`)).toEqual([
    'job',
    'job+',
    'job',
    'lamplighter',
    'job',
    'job',
    'job+',
  ]);
  expect(new Set(records.map((record) => record.at))).toEqual(new Set([Date.parse(at)]));
});
