import { expect, test, vi } from 'vitest';
import { hour, type Instant, minute, second } from '../../shared/instant.ts';
import { cancel } from '../../shared/pipeline/cancel.ts';
import { ping } from '../../shared/pipeline/ping.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { deployed, job, seven } from '../support/pipeline/cast.ts';
import { limited } from '../support/pipeline/limited.ts';
import type { World } from '../support/pipeline/parts.ts';

/** Those that stand in line, while something is wrong with others there. */

const at = (minutes: number) => `{ cron: "${minutes} 7 * * *", timeZone: UTC }`;
const asked = { by: 'dana', why: 'it was asked for' };
const nothing = { name: null, exitCode: null, error: null, log: null, metrics: {} };
const begun = (world: World) => world.platform.starts.map((one) => `${one.job}#${one.attempt}`);
const running = (world: World) => world.platform.running().map((one) => one.job);

async function end(world: World, name: string, outcome: 'succeeded' | 'failed' = 'succeeded') {
  for (const attempt of world.platform.running(name)) await world.platform.end(attempt, outcome);
  await world.settleDown();
}

test('many that were missed or cancelled while they stood in line let the next through at once', async () => {
  const missed = Array.from({ length: 40 }, (_, number) =>
    job(`missed-${number}`, { schedule: '{ cron: "1 7 * * *", timeZone: UTC, mustStartWithin: 3m }' }),
  );
  const world = await limited(1, job('first', { schedule: at(0) }), ...missed, job('last', { schedule: at(2) }));
  await world.pass(seven + 6 * minute);
  expect(running(world)).toEqual(['first']);
  await end(world, 'first');
  expect(running(world)).toEqual(['last']);
});

test('a run in line that cannot be read keeps no other from its turn, and is reported', async () => {
  const world = await limited(1, ...['first', 'bad', 'good'].map((name, index) => job(name, { schedule: at(index) })));
  await world.pass(seven + 3 * minute);
  const { get } = world.store.runs;
  const reads = vi.spyOn(world.store.runs, 'get');
  reads.mockImplementation((name, id) => (name === 'bad' ? Promise.reject(new SyntaxError('no row')) : get(name, id)));
  await end(world, 'first');
  expect(running(world)).toEqual(['good']);
  expect(world.events).toContainEqual(
    expect.objectContaining({ type: 'trouble', doing: expect.stringMatching(/^waking bad\./) }),
  );
  // Once it can be read, it has its turn.
  reads.mockImplementation(get);
  await world.pass(seven + 10 * minute);
  await end(world, 'good');
  await world.pass(seven + 20 * minute);
  expect(running(world)).toEqual(['bad']);
});

test.each([
  ['what follows from the end of another cannot be done', 'sick'],
  ['a run goes on elsewhere', 'outside'],
])('one is woken whose wake got lost, while %s', async (_, other) => {
  const outside = { ...job('outside', { run: 'timeout: 20h' }), external: true };
  const jobs = [job('first', { schedule: at(1) }), job('gone', { schedule: at(2) }), job('next', { schedule: at(3) })];
  const world = await limited(1, other === 'sick' ? job('sick', { schedule: at(0) }) : outside, ...jobs);
  const { append } = world.store.recent;
  vi.spyOn(world.store.recent, 'append').mockImplementation((runs) =>
    runs[0]?.job === 'sick' ? Promise.reject(new Error('sick')) : append(runs),
  );
  if (other === 'outside') await ping(world.parts, deployed(outside), 'start', nothing, world.now);
  await world.pass(seven + 30 * second);
  if (other === 'sick') await world.platform.end(world.platform.running()[0] ?? expect.fail());
  await world.pass(seven + 4 * minute);
  expect(running(world)).toEqual(['first']);
  await cancel(world.parts, 'gone', (await world.row('gone')).id, asked, world.now);
  const { put } = world.queue;
  world.queue.put = async () => {};
  await end(world, 'first');
  world.queue.put = put;
  await world.pass(world.now + 10 * minute);
  expect(running(world)).toContain('next');
});

test('a second try keeps its turn, though a row of the first was left in line', async () => {
  const long = { run: 'timeout: 20h' };
  const world = await limited(
    2,
    job('long', { schedule: at(0), ...long }),
    job('short', { schedule: at(0) }),
    job('twice', { schedule: at(1), retry: 'attempts: 2, delay: 1m, backoff: constant' }),
    { ...job('critical', { schedule: at(2) }), tier: 'critical' as const },
    job('later', { schedule: at(3), ...long }),
  );
  await world.pass(seven + minute - second);
  // Two launches of it meet: this one is about to stand in line once more when the other has its place.
  const host = world.apart();
  const { queue } = host.store.places;
  let calls = 0;
  host.store.places.queue = async (one) => {
    calls += 1;
    if (calls === 2) await end(world, 'short');
    return queue(one);
  };
  world.now = seven + minute;
  const [taken] = await world.queue.take(1, 60);
  await pipeline(host).launch(taken?.text ?? '', world.now);
  await taken?.done();
  expect(running(world)).toEqual(['long', 'twice']);
  await world.pass(seven + 3 * minute + second);
  await end(world, 'twice', 'failed');
  await world.pass(seven + 5 * minute);
  expect(begun(world)).toEqual(['long#1', 'short#1', 'twice#1', 'critical#1']);
  await end(world, 'critical');
  expect(begun(world).at(-1)).toBe('twice#2');
});

/** As a host does: what fails comes again after a minute, five times at most. */
async function pass(world: World, until: Instant) {
  while (world.now < until) {
    world.now += 5 * second;
    if (world.now % minute === 0) await world.work.tick(world.now).catch(() => {});
    await world.work.freePlaces(world.now);
    for (let taken = await world.queue.take(32, 60); taken.length > 0; taken = await world.queue.take(32, 60)) {
      for (const { text, done, count } of taken) {
        if (count > 5) await world.queue.putPoison(text).then(done);
        else await world.work.launch(text, world.now).then(done, () => {});
      }
    }
    for (const id of world.platform.nudges.splice(0)) await world.work.finish(id, world.now);
  }
}

test.each([
  'row',
  'job',
  'vault',
  'addresses',
])('one whose start fails each time (%s) keeps its place from no other', async (what) => {
  const bad = job('bad', { schedule: at(0), more: 'secrets: { KEY: some-secret }' });
  const world = await limited(1, bad, job('good', { schedule: at(1) }));
  const { runs, jobs, attempts } = world.store;
  const fail = () => Promise.reject(new Error('not today'));
  const { replace } = runs;
  const { replace: replaceJob } = jobs;
  const { urls } = attempts;
  const faults: Record<string, () => void> = {
    row: () => {
      runs.replace = (run, etag) => (run.job === 'bad' ? fail() : replace(run, etag));
    },
    job: () => {
      jobs.replace = (row, etag) => (row.name === 'bad' ? fail() : replaceJob(row, etag));
    },
    vault: () => {
      world.parts.vault.read = fail;
    },
    addresses: () => {
      attempts.urls = (id, ...more) => (id.job === 'bad' ? fail() : urls(id, ...more));
    },
  };
  faults[what]?.();
  await pass(world, seven + 10 * minute);
  expect(world.platform.starts.map((one) => one.job)).toContain('good');
}, 60_000);

test('an hour passes in which nothing is forgotten behind rows that can be neither read nor removed', async () => {
  const world = await limited(1, ...['first', 'bad', 'good'].map((name, index) => job(name, { schedule: at(index) })));
  await world.pass(seven + 3 * minute);
  const { get } = world.store.runs;
  const { unpark } = world.store.active;
  vi.spyOn(world.store.runs, 'get').mockImplementation((name, id) =>
    name === 'bad' ? Promise.reject(new SyntaxError('no row')) : get(name, id),
  );
  vi.spyOn(world.store.active, 'unpark').mockImplementation((name, id, when) =>
    name === 'bad' ? Promise.reject(new Error('no entry')) : unpark(name, id, when),
  );
  await end(world, 'first');
  await world.pass(seven + hour);
  expect(begun(world)).toContain('good#1');
});
