import { expect, test } from 'vitest';
import { eventText } from '../../shared/events.ts';
import { minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { slotsBetween } from '../../shared/schedule/schedule.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const retry = 'attempts: 3, delay: 1m, backoff: constant';

test('a scheduled run starts at its instant and is in the history when it has succeeded', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  await world.pass(seven + minute);
  const run = await world.row('score');
  expect(run).toMatchObject({ state: 'succeeded', slot: seven, trigger: 'schedule', startedAt: seven });
  expect(world.platform.starts[0]).toMatchObject({ attempt: 1, scheduledFor: '2026-11-20T07:00:00Z' });
  expect(await world.leftovers()).toEqual([]);
});

test('every slot of ten minutes has one row, however often and from however many hosts it is ticked', async () => {
  const world = await World.of(job('score', { schedule: everyMinute, run: 'overlap: allow' }));
  const second_ = pipeline(world.host({ person: 'second' }));
  const from = world.now;
  for (; world.now <= from + 10 * minute; world.now += 20 * second) {
    await Promise.all([world.work.tick(world.now), second_.tick(world.now), world.work.tick(world.now)]);
    await Promise.all([world.settleDown(), world.settleDown(second_)]);
  }
  world.now += minute;
  await world.settleDown();
  const { schedule } = world.jobs.get('score')?.job.schedules[0] ?? {};
  const slots = schedule ? slotsBetween(schedule, from, from + 11 * minute) : [];
  expect((await world.rows('score')).map(({ slot }) => slot)).toEqual(slots);
  expect(world.platform.executions.size).toBe(11);
  await world.pass(world.now + 10 * minute);
  expect((await world.leftovers()).filter((left) => !left.startsWith('active'))).toEqual([]);
});

test('a slot claimed by two ticks at once runs once', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  world.now = seven - 20 * second;
  const other = pipeline(world.host({ person: 'second' }));
  await Promise.all([world.work.tick(world.now), other.tick(world.now), world.work.tick(world.now)]);
  await world.pass(seven + 5 * minute);
  expect(await world.states('score')).toEqual(['succeeded']);
  expect(world.platform.starts).toHaveLength(1);
});

test('a message that comes twice, late, early or for a run that is gone starts nothing twice', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  world.platform.behave = () => 'run';
  world.now = seven - 40 * second;
  await world.work.tick(world.now);
  const text = JSON.stringify({ job: 'score', run: '20261120T070000Z', attempt: 1 });
  await world.work.launch(text, world.now);
  expect(world.platform.starts).toHaveLength(0);

  await world.pass(seven);
  await Promise.all([world.work.launch(text, world.now), world.work.launch(text, world.now)]);
  expect(world.platform.starts).toHaveLength(1);
  const [attempt] = world.platform.running();
  if (attempt) await world.platform.end(attempt);
  await world.pass(seven + minute);
  await world.work.launch(text, world.now);
  expect(await world.work.launch(JSON.stringify({ job: 'score', run: '20260101T070000Z', attempt: 1 }), seven)).toBe(
    true,
  );
  expect(world.platform.starts).toHaveLength(1);
});

test('two hosts that work on the same message at once start one attempt', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  const text = JSON.stringify({ job: 'score', run: '20261120T070000Z', attempt: 1 });
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  world.now = seven;
  const hosts = [1, 2, 3].map((number) => pipeline(world.host({ person: `${number}` })));
  await Promise.all(hosts.map((host) => host.launch(text, seven)));
  expect(world.platform.starts).toHaveLength(1);
  await world.pass(seven + 5 * minute);
  expect(await world.leftovers()).toEqual([]);
});

test('a message that no one can read is said to be none, and reported', async () => {
  const world = await World.inMemory();
  for (const text of ['', 'null', '{"job":"score"}', '{"job":"score","run":"x","attempt":0}', '\u0000']) {
    expect(await world.work.launch(text, seven)).toBe(false);
  }
  expect(world.events.filter(({ type }) => type === 'launch-unreadable')).toHaveLength(5);
});

test('a failed attempt is followed by the next after its delay, and the last one decides', async () => {
  const world = await World.of(job('score', { schedule: hourly, retry }));
  world.platform.errorClass = 'network';
  world.platform.behave = ({ attempt }) => (attempt < 3 ? 'fail' : 'succeed');
  await world.pass(seven + 20 * second);
  expect((await world.row('score')).state).toBe('retrying');
  await world.pass(seven + 5 * minute);
  const run = await world.row('score');
  expect(run.attempts.map(({ state }) => state)).toEqual(['failed', 'failed', 'succeeded']);
  expect(run.state).toBe('succeeded');
  expect(run.startedAt).toBe(seven);
  expect(await world.leftovers()).toEqual([]);
});

test('an error that trying again cannot help ends the run at once', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, retry }));
  world.platform.errorClass = 'module';
  world.platform.behave = () => 'fail';
  await world.pass(seven + 5 * minute);
  expect(await world.row('score')).toMatchObject({ state: 'failed', attempts: [{ errorClass: 'module' }] });
});

test('a result whose nudge is lost is found by the watch within two minutes', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.deaf = true;
  await world.pass(seven + 3 * minute);
  expect((await world.row('score')).state).toBe('succeeded');
  expect(await world.leftovers()).toEqual([]);
});

test('a start that says no after having started runs once and keeps its result', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, retry }));
  world.platform.behave = ({ attempt }) => (attempt === 1 ? 'refuse-started' : 'succeed');
  await world.pass(seven + 10 * second);
  const [attempt] = world.platform.running();
  expect(attempt?.attempt).toBe(1);
  if (attempt) await world.platform.end(attempt);
  await world.pass(seven + 5 * minute);
  expect(await world.row('score')).toMatchObject({ state: 'succeeded', attempts: [{ state: 'succeeded' }] });
  expect(world.platform.executions.size).toBe(1);
});

test('a start whose answer is lost runs once and keeps its result', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, retry }));
  world.platform.behave = () => 'cut';
  world.queue.add('', Number.POSITIVE_INFINITY);
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  world.now = seven;
  const text = JSON.stringify({ job: 'score', run: '20261120T070000Z', attempt: 1 });
  await expect(world.work.launch(text, seven)).rejects.toThrow('socket hang up');
  const [attempt] = world.platform.running();
  if (attempt) await world.platform.end(attempt);
  await world.pass(seven + 3 * minute);
  expect(await world.row('score')).toMatchObject({ state: 'succeeded', attempts: [{ state: 'succeeded' }] });
});

test('a platform that starts twice runs once', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.platform.behave = () => 'twice';
  await world.pass(seven + 3 * minute);
  expect((await world.row('score')).state).toBe('succeeded');
  expect([...world.platform.executions.values()]).toEqual([1]);
});

test('a start that the platform refused is tried again, and costs the job none of its attempts', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.platform.behave = ({ attempt }) => (attempt < 3 ? 'refuse' : 'succeed');
  await world.pass(seven + 5 * minute);
  const run = await world.row('score');
  expect(run.attempts.map(({ state }) => state)).toEqual(['abandoned', 'abandoned', 'succeeded']);
  expect(run.attempts[0]).toMatchObject({ errorClass: 'infrastructure', error: 'no room' });
});

test('a run that the platform would not start in time is missed', async () => {
  const world = await World.inMemory(
    job('score', { schedule: '{ cron: "0 * * * *", timeZone: UTC, mustStartWithin: 2m }' }),
  );
  world.platform.behave = () => 'refuse';
  await world.pass(seven + 10 * minute);
  expect(await world.row('score')).toMatchObject({ state: 'missed', reasonCode: 'start-within' });
  expect(await world.leftovers()).toEqual([]);
});

test('an attempt that no one begins is abandoned, does not count, and the next one runs', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.platform.behave = ({ attempt }) => (attempt < 3 ? 'never' : 'succeed');
  await world.pass(seven + 10 * minute);
  const run = await world.row('score');
  expect(run.attempts.map(({ state }) => state)).toEqual(['abandoned', 'abandoned', 'succeeded']);
  expect(await world.leftovers()).toEqual([]);
});

test('a platform that never begins anything is given up after five attempts, and says where to look', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.platform.behave = () => 'never';
  await world.pass(seven + 30 * minute);
  const run = await world.row('score');
  expect(run).toMatchObject({ state: 'lost', attempts: { length: 5 } });
  expect(run.attempts.at(-1)?.error).toContain('does the fake executor start');
  expect(await world.leftovers()).toEqual([]);
});

test('an attempt that vanishes is lost after a silence, and retried as such', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, retry }));
  world.platform.behave = ({ attempt }) => (attempt === 1 ? 'vanish' : 'succeed');
  await world.pass(seven + 6 * minute);
  const run = await world.row('score');
  expect(run.attempts.map(({ state }) => state)).toEqual(['lost', 'succeeded']);
  expect(run.startedAt).toBe(seven);
});

test('a run that is lost for good says when it started', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.platform.behave = () => 'vanish';
  await world.pass(seven + 4 * minute);
  expect(await world.row('score')).toMatchObject({ state: 'lost', startedAt: seven });
  expect(await world.leftovers()).toEqual([]);
});

test('an attempt that outlives its time limit is stopped, and if it does not hear, given up as overdue', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, run: 'timeout: 1m, grace: 10s' }));
  world.platform.behave = () => 'run';
  world.platform.stop = async () => {};
  await world.pass(seven + 10 * minute);
  expect(await world.row('score')).toMatchObject({ state: 'timed-out', attempts: [{ state: 'timed-out' }] });
  expect((await world.leftovers()).filter((left) => !left.includes('T08'))).toEqual([]);
});

test('a stop that is never allowed does not keep an overdue run, and its job, for good', async () => {
  const world = await World.inMemory(
    job('score', { schedule: hourly, run: 'timeout: 1m, grace: 1s', retry: 'attempts: 1' }),
  );
  world.platform.behave = () => 'vanish';
  const stop = () => Promise.reject(new Error('403: no right to stop'));
  Object.assign(world.platform, { stop, status: async () => 'running' });
  await world.pass(seven + 10 * minute);
  expect((await world.row('score')).state).toBe('timed-out');
  expect(world.events.map(eventText).join()).toContain('trouble while stopping score.20261120T070000Z');
  expect(await world.leftovers()).toEqual([]);
});

test('installing packages does not count against the time limit of the job', async () => {
  const slow = { ...job('score', { schedule: hourly, run: 'timeout: 1m, grace: 10s' }), locked: true };
  const world = await World.inMemory(slow);
  world.platform.behave = () => 'run';
  await world.pass(seven + 10 * minute);
  expect(world.platform.stops).toEqual([]);
  await world.pass(seven + 30 * minute);
  expect(world.platform.stops).toEqual(['score.20261120T070000Z#1']);
});

test('a result that cannot be read ends the attempt instead of holding its job for good', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  world.platform.behave = () => 'garbage';
  await world.pass(seven + 5 * minute);
  const run = await world.row('score');
  expect(run).toMatchObject({ state: 'failed', attempts: [{ errorClass: 'infrastructure' }] });
  expect(run.attempts[0]?.error).toContain('result.json');
  expect(await world.leftovers()).toEqual([]);
});

test('a secret that is missing fails the run and names it, without starting anything', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, retry, more: 'secrets: { KEY: crm-key }' }));
  const { SecretError } = await import('../../shared/secrets/vault.ts');
  const vault = { ...world.parts.vault, read: () => Promise.reject(new SecretError('missing', 'is missing')) };
  const broken = pipeline(world.host({ vault }));
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  world.now = seven;
  await world.settleDown(broken);
  expect(await world.row('score')).toMatchObject({
    state: 'failed',
    attempts: [{ errorClass: 'configuration', error: 'secret crm-key for KEY: is missing' }],
  });
  expect(world.platform.starts).toHaveLength(0);
});

test('a job whose folder is gone has its waiting runs cancelled and gets no new ones', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.now = seven - 20 * second;
  await world.work.tick(world.now);
  world.jobs.delete('score');
  await world.pass(seven + 65 * minute);
  expect(await world.row('score')).toMatchObject({ state: 'cancelled', reason: 'the job score is not here any more' });
  expect(await world.leftovers()).toEqual([]);
});
