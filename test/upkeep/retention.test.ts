import { expect, test } from 'vitest';
import { day, hour, minute } from '../../shared/instant.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { forget } from '../../shared/upkeep/retention.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

/** A run that was over an hour after its slot. */
const over = (slot: number, more: Partial<Run> = {}) =>
  newRun('score', slot, 'schedule', slot, { state: 'failed', endedAt: slot + hour, ...more });

test('runs older than the history must be are removed, of jobs that are gone as well; the others stay', async () => {
  const world = await World.of(job('score', { schedule: hourly }), job('gone', { schedule: hourly }));
  world.jobs.delete('gone');
  const border = seven - 400 * day;
  await world.store.runs.insertAll([border - hour - 1, border - hour, border].map((slot) => over(slot)));
  await world.store.runs.insert({ ...over(border - day), job: 'gone' });
  expect(await forget(world.parts, border)).toBe(2);
  expect((await world.rows('score')).map(({ slot }) => slot)).toEqual([border - hour, border]);
  expect(await world.rows('gone')).toEqual([]);
});

test('what is not over yet is never removed, however old its slot', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  await world.store.runs.insertAll([
    over(seven - 500 * day, { state: 'queued', endedAt: null }),
    over(seven - 501 * day, { state: 'running', endedAt: null }),
  ]);
  expect(await forget(world.parts, seven - 400 * day)).toBe(0);
  expect(await world.rows('score')).toHaveLength(2);
});

test('more than a page of old runs goes in one go, two hosts at once', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  const old = Array.from({ length: 1_234 }, (_, at) => over(seven - 500 * day + at * minute));
  await world.store.runs.insertAll(old);
  await Promise.all([forget(world.parts, seven - 400 * day), forget(world.parts, seven - 400 * day)]);
  expect(await world.rows('score')).toEqual([]);
});

test('a backfill of slots long past is history of the day it ran on', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  const slots = [seven - 500 * day, seven - 450 * day];
  await world.store.runs.insertAll(slots.map((slot) => over(slot, { createdAt: seven - day, endedAt: seven - hour })));
  expect(await forget(world.parts, seven - 400 * day)).toBe(0);
  expect(await forget(world.parts, seven)).toBe(2);
});

test('the last success of a job that runs rarely stays, as inputs and comparisons are taken from it', async () => {
  const world = await World.of(job('score', { schedule: hourly }), job('often', { schedule: hourly }));
  const good: Partial<Run> = { state: 'succeeded' };
  const [older, last] = [seven - 900 * day, seven - 500 * day];
  await world.store.runs.insertAll([over(older, good), over(last, good), over(last + day), over(seven - day)]);
  const often = [last, seven - day].map((slot) => ({ ...over(slot, good), job: 'often' }));
  await world.store.runs.insertAll(often);
  expect(await forget(world.parts, seven - 400 * day)).toBe(3);
  expect((await world.rows('score')).map(({ slot }) => slot)).toEqual([last, seven - day]);
  expect((await world.rows('often')).map(({ slot }) => slot)).toEqual([seven - day]);
});
