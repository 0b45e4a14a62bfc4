import { expect, test } from 'vitest';
import { day, minute } from '../shared/instant.ts';
import { forget } from '../shared/retention.ts';
import { newRun, type Run } from '../shared/run.ts';
import { hourly, job, seven } from './support/cast.ts';
import { World } from './support/parts.ts';

const over = (slot: number, state: Run['state'] = 'succeeded') =>
  newRun('score', slot, 'backfill', seven, { state, endedAt: state === 'queued' ? null : seven });

test('runs older than the history must be are removed, of jobs that are gone as well; the others stay', async () => {
  const world = await World.of(job('score', { schedule: hourly }), job('gone', { schedule: hourly }));
  world.jobs.delete('gone');
  const border = seven - 400 * day;
  await world.store.runs.insertAll([border - 1_000, border, border + 1_000].map((slot) => over(slot)));
  await world.store.runs.insert({ ...over(border - day), job: 'gone' });
  expect(await forget(world.parts, border)).toBe(2);
  expect((await world.rows('score')).map(({ slot }) => slot)).toEqual([border, border + 1_000]);
  expect(await world.rows('gone')).toEqual([]);
});

test('what is not over yet is never removed, however old its slot', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  await world.store.runs.insertAll([over(seven - 500 * day, 'queued'), over(seven - 501 * day, 'running')]);
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
