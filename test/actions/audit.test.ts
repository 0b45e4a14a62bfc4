import { expect, test } from 'vitest';
import { backfill } from '../../shared/actions/backfill.ts';
import { cancel } from '../../shared/actions/cancel.ts';
import { pause, resume } from '../../shared/actions/pause.ts';
import { rerun } from '../../shared/actions/rerun.ts';
import { runNow } from '../../shared/actions/run-now.ts';
import { hour, minute } from '../../shared/instant.ts';
import type { Parts } from '../../shared/parts.ts';
import type { JobEvent } from '../../shared/run/job-event.ts';
import { newRun, runId } from '../../shared/run/run.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const person = { by: 'sam@contoso.com', why: 'the numbers were wrong' };
const past = newRun('score', seven - hour, 'schedule', seven - hour, { state: 'failed' });

const long = { by: 'sam@contoso.com', why: 'why '.repeat(10_000) };

/** Everything that a person may do to a job, and what the audit calls it. */
const actions: [JobEvent['kind'], (parts: Parts) => Promise<unknown>][] = [
  ['run-now', (parts) => runNow(parts, 'score', [], person, seven)],
  ['rerun', (parts) => rerun(parts, past, person, seven)],
  ['backfill', (parts) => backfill(parts, 'score', [seven - 5 * hour, seven - 4 * hour], [], person, seven)],
  ['paused', (parts) => pause(parts, 'score', person, seven)],
  ['resumed', (parts) => resume(parts, 'score', person, true, seven)],
];

async function worldFor(kind: JobEvent['kind']): Promise<World> {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  if (kind === 'resumed') await pause(world.parts, 'score', { by: 'dana@contoso.com', why: '' }, seven - minute);
  return world;
}

async function kinds(world: World): Promise<string[]> {
  const found: string[] = [];
  for await (const { kind } of world.store.events.list('score')) found.push(kind);
  return found;
}

/** What a person would see of the job: its runs, and whether it is paused. */
async function state(world: World) {
  return [await world.states('score'), (await world.store.jobs.get('score'))?.value.paused?.by];
}

test.each(actions)('%s: nothing is done that the audit does not know', async (kind, act) => {
  const world = await worldFor(kind);
  const before = await state(world);
  const away = { ...world.store.events, append: () => Promise.reject(new Error('the table of events is unavailable')) };
  await expect(act(world.host({ store: { ...world.store, events: away } }))).rejects.toThrow('unavailable');
  expect(await state(world)).toEqual(before);
  await act(world.parts);
  expect((await kinds(world)).filter((found) => found === kind)).toHaveLength(1);
  expect(await state(world)).not.toEqual(before);
});

test('pausing a job whose answer gets lost is a pause, and the audit has it once', async () => {
  const world = await worldFor('paused');
  const { jobs } = world.store;
  const amend: typeof jobs.amend = async (...given) => {
    await jobs.amend(...given);
    // The SDK tries again, and meets what it has written itself.
    return jobs.amend(...given);
  };
  const host = world.host({ store: { ...world.store, jobs: { ...jobs, amend } } });
  expect(await pause(host, 'score', person, seven)).toBe(true);
  expect(await pause(host, 'score', person, seven + minute)).toBe(false);
  expect((await kinds(world)).filter((kind) => kind === 'paused')).toHaveLength(1);
});

test.each([
  person,
  long,
])('a cancel whose answer gets lost is a cancel, of a run that waits and of one that runs', async (asked) => {
  const world = await World.inMemory(job('score', { schedule: hourly }), job('other', { schedule: hourly }));
  world.platform.behave = ({ job }) => (job === 'other' ? 'run' : 'succeed');
  world.now = seven - minute / 2;
  await world.work.tick(world.now);
  const { runs } = world.store;
  const replace: typeof runs.replace = async (...given) => {
    await runs.replace(...given);
    // The SDK tries again, and finds the row changed: by itself.
    return undefined;
  };
  const host = world.host({ store: { ...world.store, runs: { ...runs, replace } } });
  const id = runId(seven, 'schedule');
  expect(await cancel(host, 'score', id, asked, world.now)).toMatchObject({ state: 'cancelled' });
  expect(await kinds(world)).toEqual(['cancelled', 'deployed']);
  expect((await world.store.jobs.get('score'))?.value).toMatchObject({ running: [], last: { state: 'cancelled' } });

  await world.pass(seven + 10_000);
  expect(await cancel(host, 'other', id, asked, world.now)).toMatchObject({
    state: 'running',
    cancel: { by: asked.by },
  });
  await world.pass(seven + minute);
  expect((await world.rows('other'))[0]?.state).toBe('cancelled');
  expect(world.events.filter(({ type }) => type === 'run-cancel-asked')).toHaveLength(2);
  expect(await world.leftovers()).toEqual([]);
});

test('cancelling a run that is over, or that is being ended already, leaves no second entry in the audit', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.platform.behave = () => 'run';
  world.platform.stop = async () => {};
  await world.pass(seven + 10_000);
  const id = runId(seven, 'schedule');
  await cancel(world.parts, 'score', id, person, world.now);
  await cancel(world.parts, 'score', id, person, world.now + 1);
  for (const spec of world.platform.running()) await world.platform.end(spec, 'stopped');
  await world.settleDown();
  expect(await cancel(world.parts, 'score', id, person, world.now + 2)).toMatchObject({ state: 'cancelled' });
  expect((await kinds(world)).filter((kind) => kind === 'cancelled')).toHaveLength(1);
});

test('the same request again is the same run and the same event', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  for (const host of [world.parts, world.host({ person: 'other' })]) {
    await runNow(host, 'score', [], person, seven, 'abc');
    await rerun(host, past, person, seven, 'abc');
  }
  expect((await kinds(world)).sort()).toEqual(['deployed', 'rerun', 'run-now']);
  expect((await world.rows('score')).map(({ trigger }) => trigger)).toEqual(['rerun', 'manual']);
});
