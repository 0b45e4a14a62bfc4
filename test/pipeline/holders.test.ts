import { expect, test, vi } from 'vitest';
import { hour, minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { limited } from '../support/pipeline/limited.ts';

/** Those who have places, looked at as others wait for them. */

test('a place whose attempt is over, and no one heard of it, is free when the next wants it', async () => {
  const [first, next] = ['0', '1'].map((at) =>
    job(`job-${at}`, { schedule: `{ cron: "${at} 7 * * *", timeZone: UTC }` }),
  );
  if (!first || !next) throw new Error('two jobs');
  const world = await limited(1, first, next);
  world.deaf = true;
  await world.pass(seven + 30 * second);
  for (const attempt of world.platform.running()) await world.platform.end(attempt);
  await world.pass(seven + minute + second);
  expect(await world.states('job-0')).toEqual(['succeeded']);
  expect(world.platform.running()).toMatchObject([{ job: 'job-1' }]);
});

test('while others wait, each end has the attempts in the other places looked at', async () => {
  const world = await limited(2, ...['a', 'b', 'c', 'd'].map((name) => job(name, { schedule: hourly })));
  await world.pass(seven + 10 * second);
  const [unheard, heard] = world.platform.running();
  if (!unheard || !heard) throw new Error('two of them run');
  await world.platform.end(unheard);
  world.platform.nudges.length = 0;
  await world.platform.end(heard);
  await world.settleDown();
  const others = world.platform.running().map(({ job: name }) => name);
  expect(others).toHaveLength(2);
  expect([unheard.job, heard.job, ...others].sort()).toEqual(['a', 'b', 'c', 'd']);
});

test('ends that get lost all at once, of attempts that had just begun, are noticed seconds later, and then all is at rest', async () => {
  const world = await limited(2, ...['a', 'b', 'c', 'd', 'e'].map((name) => job(name, { schedule: hourly })));
  world.deaf = true;
  await world.pass(seven + second);
  for (let at = 0; at < 6; at += 1) {
    for (const attempt of world.platform.running()) await world.platform.end(attempt);
    world.now += 6 * second;
    await world.work.freePlaces(world.now);
    await world.settleDown();
  }
  const states = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => world.states(name)));
  // No one waits for the end of the last.
  expect(states.flat().sort()).toEqual(['running', ...Array.from({ length: 4 }, () => 'succeeded')]);
  const view = vi.spyOn(world.store.places, 'view');
  await world.work.freePlaces(world.now + minute);
  expect(view).not.toHaveBeenCalled();
});

test('while attempts wait for some that go on running, the places are looked at only as something happens', async () => {
  const world = await limited(1, ...['a', 'b', 'c'].map((name) => job(name, { schedule: hourly })));
  await world.pass(seven + 10 * second);
  await world.work.freePlaces(world.now);
  const view = vi.spyOn(world.store.places, 'view');
  for (let at = 1; at <= 12; at += 1) await world.work.freePlaces(world.now + at * 5 * second);
  expect(view).not.toHaveBeenCalled();
});

test('many that come while all places are taken look at them once', async () => {
  const long = job('long', { schedule: '{ cron: "0 7 * * *", timeZone: UTC }' });
  const later = Array.from({ length: 30 }, (_, at) =>
    job(`job-${at}`, { schedule: '{ cron: "1 7 * * *", timeZone: UTC }' }),
  );
  const world = await limited(1, long, ...later);
  await world.pass(seven + 59 * second);
  const result = vi.spyOn(world.store.attempts, 'result');
  await world.pass(seven + minute + second);
  expect((await world.store.places.view(40)).line).toHaveLength(30);
  expect(result).toHaveBeenCalledTimes(1);
});

/** One place, of an attempt that is over, and no one heard of it; another run comes a minute later. */
async function unheard(outcome: 'succeeded' | 'failed' = 'succeeded') {
  const first = job('first', { schedule: '{ cron: "0 7 * * *", timeZone: UTC }', retry: 'attempts: 3, delay: 10m' });
  const world = await limited(1, first, job('next', { schedule: '{ cron: "1 7 * * *", timeZone: UTC }' }));
  await world.pass(seven + 30 * second);
  for (const attempt of world.platform.running()) await world.platform.end(attempt, outcome);
  world.platform.nudges.length = 0;
  world.now = seven + minute;
  await world.work.tick(world.now);
  return world;
}

test('one whose row cannot be written is reported, and keeps no launch and no end of another from being done', async () => {
  const world = await unheard();
  const { replace } = world.store.runs;
  vi.spyOn(world.store.runs, 'replace').mockImplementation((run, etag) =>
    run.job === 'first' ? Promise.reject(new Error('no such row')) : replace(run, etag),
  );
  const [message] = await world.queue.take(1, 60);
  expect(message?.text).toContain('next');
  await world.work.launch(message?.text ?? '', world.now);
  expect((await world.row('next')).reason).toContain('waits for a place');
  expect(world.events).toContainEqual(
    expect.objectContaining({ type: 'trouble', doing: expect.stringMatching(/^looking at first\..*has a place$/) }),
  );
});

test('a package that does not know a job ends none of its attempts: it knows nothing of its second try', async () => {
  const world = await unheard('failed');
  const catalog = new Map([...world.jobs].filter(([name]) => name !== 'first'));
  const older = pipeline(world.host({ catalog: () => catalog, limit: 1 }));
  for (const { text, done } of await world.queue.take(8, 60)) await older.launch(text, world.now).then(done);
  expect(await world.states('first')).toEqual(['running']);
  await world.work.finish({ job: 'first', run: (await world.row('first')).id, attempt: 1 }, world.now);
  expect(await world.states('first')).toEqual(['retrying']);
});

test.each([
  'a nudge',
  'its watch',
])('%s does not have a package that is older end an attempt of a job that it does not know', async (what) => {
  const first = job('first', { schedule: '{ cron: "0 7 * * *", timeZone: UTC }', retry: 'attempts: 3, delay: 10m' });
  const world = await limited(1, first);
  await world.pass(seven + 30 * second);
  const [attempt] = world.platform.running();
  if (!attempt) throw new Error('it runs');
  await world.platform.end(attempt, 'failed');
  world.platform.nudges.length = 0;
  const { made = 0, deployedAt = 0 } = (await world.store.jobs.get('first'))?.value ?? {};
  const older = { made: made - hour, read: deployedAt - hour };
  const work = pipeline(world.apart({ catalog: () => Object.assign(new Map(), { package: older }) }));
  for (let minutes = 0; minutes < 4; minutes += 1) {
    world.now += minute;
    if (what === 'a nudge') await work.finish(attempt, world.now);
    else await work.tick(world.now);
  }
  expect(await world.states('first')).toEqual(['running']);
  await world.work.finish(attempt, world.now);
  expect(await world.states('first')).toEqual(['retrying']);
});

test('the platform is asked no more often than the watch asks it', async () => {
  const names = Array.from({ length: 30 }, (_, at) => `job-${at}`);
  const world = await limited(
    1,
    job('slow', { schedule: '{ cron: "0 7 * * *", timeZone: UTC }' }),
    ...names.map((name) => job(name, { schedule: hourly })),
  );
  world.platform.behave = () => 'never';
  Object.assign(world.platform, { startGraceMs: 20 * minute });
  const status = vi.spyOn(world.platform, 'status');
  await world.pass(seven + 5 * minute);
  const asked = status.mock.calls.length;
  const [waiting] = (await world.store.places.view(1)).line;
  if (!waiting) throw new Error('others wait');
  const { job: name, run, attempt } = waiting;
  for (let at = 0; at < 20; at += 1) {
    world.now += second;
    await world.work.launch(JSON.stringify({ job: name, run, attempt }), world.now);
  }
  expect(asked).toBeGreaterThan(0);
  expect(status).toHaveBeenCalledTimes(asked);
});
