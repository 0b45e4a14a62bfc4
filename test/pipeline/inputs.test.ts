import { expect, test } from 'vitest';
import { hour, minute, second } from '../../shared/instant.ts';
import { newRun, type Run, type RunOutput } from '../../shared/run/run.ts';
import { hourly, job, seven, started } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const digest = (letter: string) => letter.repeat(64);
const rows = (letter: string, more: Partial<RunOutput> = {}): RunOutput => {
  return { path: 'rows.csv', bytes: 1, sha256: digest(letter), rows: 1, problem: null, ...more };
};
const reader = job('reader', {
  schedule: hourly,
  retry: 'attempts: 2, delay: 1m, backoff: constant',
  more: 'inputs: [source/rows.csv]',
});
const source = job('source', { more: 'outputs: [rows.csv]' });

/** A success of the source. @param at minutes before seven */
function success(at: number, outputs: RunOutput[], more: Partial<Run> = {}): Run {
  const slot = seven - at * minute;
  const { attempts } = started('source');
  return newRun('source', slot, 'schedule', slot, {
    state: 'succeeded',
    endedAt: slot + minute,
    outputs,
    attempts,
    ...more,
  });
}

test('a run takes the newest success at or before its slot, and says which it took', async () => {
  const world = await World.of(reader, source);
  const newer = success(-30, [rows('f')]);
  await world.store.runs.insertAll([success(60, [rows('a')]), success(10, [rows('b')]), newer]);
  await world.pass(seven + second);
  expect(world.platform.starts[0]?.inputs).toMatchObject([{ path: 'rows.csv', sha256: digest('b') }]);
  expect(world.platform.starts[0]?.inputs[0]?.url).toContain('/source/20261120T065000Z/1/outputs/rows.csv');
  expect((await world.row('reader')).inputs).toEqual([
    { path: 'rows.csv', job: 'source', run: '20261120T065000Z', attempt: 1, output: 'rows.csv', sha256: digest('b') },
  ]);
});

test('a rerun replaces the original, whichever comes first in the table', async () => {
  const world = await World.inMemory(reader, source);
  const original = success(10, [rows('a')]);
  const rerun: Run = {
    ...original,
    id: `${original.id}.rabc`,
    trigger: 'rerun',
    endedAt: seven - minute,
    outputs: [rows('b')],
  };
  const failed: Run = {
    ...original,
    id: `${original.id}.rabd`,
    trigger: 'rerun',
    state: 'failed',
    outputs: [rows('c')],
  };
  await world.store.runs.insertAll([original, rerun, failed]);
  await world.pass(seven + second);
  expect((await world.row('reader')).inputs).toMatchObject([{ run: rerun.id, sha256: digest('b') }]);
});

test('a success that kept no such file is an error that says so: older data is not taken for it', async () => {
  const world = await World.inMemory(reader, source);
  await world.store.runs.insertAll([
    success(60, [rows('a')]),
    success(10, [rows('b', { sha256: null, problem: 'larger than 5 GB' })]),
  ]);
  await world.pass(seven + 10 * minute);
  expect(world.platform.starts).toEqual([]);
  const run = await world.row('reader');
  expect(run).toMatchObject({ state: 'failed', inputs: [], attempts: [{ errorClass: 'configuration' }] });
  expect(run.attempts[0]?.error).toBe(
    'input source/rows.csv: source.20261120T065000Z succeeded and kept no rows.csv (larger than 5 GB): fix source, then rerun it',
  );
});

test('a file that a newer deployment declares no more is such an error too', async () => {
  const world = await World.inMemory(reader, source);
  await world.store.runs.insertAll([success(60, [rows('a')]), success(10, [])]);
  await world.pass(seven + minute);
  expect((await world.row('reader')).attempts[0]?.error).toContain('succeeded and kept no rows.csv: fix source');
});

test('each attempt has its own versions, and the run has those of the last', async () => {
  const world = await World.inMemory(
    job('score', { schedule: hourly, retry: 'attempts: 2, delay: 1m, backoff: constant, on: [application]' }),
  );
  world.platform.behave = () => 'fail';
  await world.pass(seven + second);
  const before = (await world.row('score')).versions?.bundle;
  world.platform.behave = () => 'succeed';
  await world.deploy(
    job('score', { schedule: hourly, retry: 'attempts: 2, delay: 1m, backoff: constant, on: [application]' }),
    'print(2)',
  );
  await world.pass(seven + hour - 2 * minute);
  const run = await world.row('score');
  expect(run.state).toBe('succeeded');
  expect(run.versions?.bundle).not.toBe(before);
  expect(run.attempts.map(({ versions }) => versions?.bundle)).toEqual([before, run.versions?.bundle]);
  expect(run.attempts.map(({ versions }) => versions?.python)).toEqual(['3.12.0', '3.12.0']);
});
