import { expect, test } from 'vitest';
import { backfill } from '../../shared/actions/backfill.ts';
import { hour, type Instant, minute, second } from '../../shared/instant.ts';
import type { Parts } from '../../shared/parts.ts';
import { type Pipeline, pipeline } from '../../shared/pipeline.ts';
import { runId } from '../../shared/run/run.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { limited } from '../support/pipeline/limited.ts';
import type { World } from '../support/pipeline/parts.ts';

/** Places that look as if a dead host had left them, and those that one has. */

const at = (minutes: number) => `{ cron: "${minutes} 7 * * *", timeZone: UTC }`;
const critical = (name: string, minutes: number) => ({
  ...job(name, { schedule: at(minutes) }),
  tier: 'critical' as const,
});
const message = (name: string, slot = seven) => JSON.stringify({ job: name, run: runId(slot, 'schedule'), attempt: 1 });
const asked = { by: 'dana', why: 'it was asked for' };

/** Lets one host alone take messages and tick. @returns how many attempts ran at once, at most */
async function alone(world: World, host: Pipeline, until: Instant): Promise<number> {
  let most = world.platform.running().length;
  while (world.now < until) {
    world.now += second;
    if (world.now % minute === 0) await host.tick(world.now);
    for (const { text, done } of await world.queue.take(32, 60)) await host.launch(text, world.now).then(done);
    most = Math.max(most, world.platform.running().length);
  }
  return most;
}

test('a message that comes again to the host that claimed the run does not free the place of its attempt under way', async () => {
  const world = await limited(1, job('a', { schedule: hourly }), critical('b', 1));
  const [claimer, starter] = [pipeline(world.apart()), pipeline(world.apart())];
  world.now = seven - minute;
  await claimer.tick(world.now);
  world.now = seven;
  // Its host starts it, and dies before it removes the message.
  const [taken] = await world.queue.take(1, 60);
  await starter.launch(taken?.text ?? '', world.now);
  expect(world.platform.running()).toHaveLength(1);
  expect(await alone(world, claimer, seven + 6 * minute)).toBe(1);
});

test('a watch with a clock that is ahead frees no place of an attempt that began after it had read what is under way', async () => {
  const world = await limited(
    1,
    critical('late', 1),
    job('first', { schedule: at(0) }),
    job('waits', { schedule: at(0) }),
  );
  await world.pass(seven + 30 * second);
  for (const attempt of world.platform.running()) await world.platform.end(attempt);
  // Each message that would wake the one in line gets lost.
  const { put } = world.queue;
  world.queue.put = async () => {};
  await world.settleDown();
  world.now = seven + minute - second;
  await world.work.tick(world.now);
  world.queue.put = put;
  const ahead = world.apart();
  const { all } = ahead.store.active;
  ahead.store.active.all = async function* (unreadable) {
    for await (const entry of all(unreadable)) if (entry.value.job !== 'late') yield entry;
  };
  const waitingSince = async () => {
    world.now = seven + minute;
    await world.settleDown();
    return undefined;
  };
  ahead.store.launches = Object.assign(Object.create(world.queue), { waitingSince });
  await pipeline(ahead).watch(world.now + 2.5 * minute);
  await world.settleDown();
  expect(world.platform.running().map((one) => one.job)).toEqual(['late']);
});

test('a second message at a host whose clock is ahead takes no place from a start that is under way', async () => {
  const world = await limited(1, job('a', { schedule: at(0) }), critical('b', 0));
  await world.pass(seven - second);
  world.queue.messages.clear();
  world.now = seven;
  const [other, ahead] = [pipeline(world.apart()), pipeline(world.apart())];
  const slow = world.apart();
  const { replace } = slow.store.runs;
  slow.store.runs.replace = async (run, etag) => {
    if (run.state === 'starting' && run.job === 'a') {
      await other.launch(message('b'), seven + 1);
      await ahead.launch(message('a'), seven + 2.5 * minute);
      for (const { text, done } of await world.queue.take(32, 60)) await other.launch(text, seven + 2).then(done);
    }
    return replace(run, etag);
  };
  await pipeline(slow).launch(message('a'), seven);
  await world.settleDown();
  expect(world.platform.running()).toHaveLength(1);
});

test('a start that took minutes to prepare, and lost its place meanwhile, begins nothing, and comes again', async () => {
  const world = await limited(
    1,
    job('a', { schedule: at(0), more: 'secrets: { KEY: some-secret }' }),
    critical('b', 1),
  );
  await world.pass(seven - second);
  const other = pipeline(world.apart());
  let most = 0;
  const read: Parts['vault']['read'] = async () => {
    most = await alone(world, other, seven + 3 * minute);
    return { value: 'hush', version: 'v1' };
  };
  const slow = world.apart({ vault: { ...world.parts.vault, read } });
  const { now } = performance;
  performance.now = () => world.now;
  try {
    world.now = seven;
    const [taken] = await world.queue.take(1, 60);
    await pipeline(slow).launch(taken?.text ?? '', world.now);
  } finally {
    performance.now = now;
  }
  most = Math.max(most, await alone(world, other, seven + 5 * minute));
  expect(most).toBe(1);
  expect(world.platform.running().map((one) => one.job)).toEqual(['b']);
  for (const attempt of world.platform.running()) await world.platform.end(attempt);
  await world.pass(seven + 10 * minute);
  expect(world.platform.running().map((one) => one.job)).toEqual(['a']);
});

test('a place whose host died in it is free again while its job is paused', async () => {
  const past = job('past', { schedule: '{ cron: "5 3 * * *", timeZone: UTC }' });
  const world = await limited(1, past, job('next', { schedule: at(5) }));
  await world.pass(seven);
  await backfill(world.parts, 'past', [seven - 4 * hour + 5 * minute], [], asked, world.now);
  const host = world.apart();
  const { take } = host.store.places;
  host.store.places.take = async (place) => {
    await take(place);
    throw new Error('killed');
  };
  host.store.places.free = () => Promise.reject(new Error('killed'));
  const [taken] = await world.queue.take(1, 60);
  await expect(pipeline(host).launch(taken?.text ?? '', world.now)).rejects.toThrow('killed');
  await world.store.jobs.amend('past', (row) => ({ ...row, paused: { ...asked, at: world.now, until: null } }));
  await world.pass(seven + hour);
  expect(world.platform.running().map((one) => one.job)).toEqual(['next']);
});

test('a place whose host died in it is free again, though its run waits for the one before it since', async () => {
  const twice = job('twice', {
    schedule: '{ cron: "0,1 7 * * *", timeZone: UTC }',
    run: 'overlap: queue, timeout: 5h',
  });
  const world = await limited(2, twice, job('next', { schedule: at(5) }));
  await world.pass(seven - second);
  world.queue.messages.clear();
  world.now = seven + 30 * second;
  await world.work.tick(world.now);
  world.queue.messages.clear();
  world.now = seven + minute;
  const host = world.apart();
  const { take, view } = host.store.places;
  let dead = false;
  const killed = () => Promise.reject(new Error('killed'));
  host.store.places.take = async (place) => {
    const taken = await take(place);
    // Another host is before it at the job.
    await world.work.launch(message('twice'), world.now);
    return taken;
  };
  host.store.places.free = () => {
    dead = true;
    return killed();
  };
  host.store.places.view = (most) => (dead ? killed() : view(most));
  await expect(pipeline(host).launch(message('twice', seven + minute), world.now)).rejects.toThrow('killed');
  expect(world.platform.running()).toHaveLength(1);
  await world.pass(seven + hour);
  expect(world.platform.running().map((one) => one.job)).toEqual(['twice', 'next']);
});
