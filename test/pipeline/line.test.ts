import { expect, test, vi } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { runId } from '../../shared/run/run.ts';
import { randomFrom } from '../faults/random.ts';
import { deployed, everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { limited } from '../support/pipeline/limited.ts';

/** Those who wait for one of the places of all jobs, and for their own job as well. */

test('runs of one job that waited for places wait for each other then, and are woken by each end', async () => {
  const few = job('score', { schedule: '{ cron: "1-3 7 * * *", timeZone: UTC }', run: 'overlap: queue' });
  const world = await limited(2, few, ...['a', 'b'].map((name) => job(name, { schedule: hourly })));
  await world.pass(seven + 3.2 * minute);
  expect(world.platform.starts.map((spec) => spec.job).sort()).toEqual(['a', 'b']);
  expect((await world.store.places.view(10)).line).toHaveLength(3);
  // Both places are free at once, and the job is taken by the first of its runs.
  for (const attempt of world.platform.running()) await world.platform.end(attempt);
  await world.settleDown();
  // Without a tick or the watch.
  for (const slot of [1, 2, 3]) {
    expect(world.platform.running()).toMatchObject([{ job: 'score', run: runId(seven + slot * minute, 'schedule') }]);
    world.now += second;
    for (const attempt of world.platform.running()) await world.platform.end(attempt);
    await world.settleDown();
  }
  expect(await world.store.places.view(10)).toEqual({ taken: [], line: [] });
  expect(await world.leftovers()).toEqual([]);
});

test('a run that waits for a place and stands in no line, as a host died, stands there again while places stay taken', async () => {
  const [long, other] = ['a', 'b'].map((name) => job(name, { schedule: hourly, run: 'timeout: 5h' }));
  if (!long || !other) throw new Error('two jobs');
  const world = await limited(1, long, other);
  await world.pass(seven + 7 * minute);
  const [lost] = (await world.store.places.view(10)).line;
  if (!lost) throw new Error('one of them waits');
  await world.store.places.leave(lost);
  await world.pass(seven + 59 * minute);
  expect((await world.store.places.view(10)).line).toEqual([]);
  await world.pass(seven + 70 * minute);
  expect((await world.store.places.view(10)).line[0]).toMatchObject({ job: lost.job, run: lost.run });
});

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

test('a run whose code no host can store stands in no one’s way, piles up no messages, and starts once it can', async () => {
  const sick = job('a-sick', { schedule: hourly, run: 'overlap: queue' });
  const world = await limited(1, job('a-first', { schedule: hourly }), sick, job('b-well', { schedule: hourly }));
  await world.pass(seven + second);
  expect(world.platform.running()).toMatchObject([{ job: 'a-first' }]);
  // Its folder changes all the time, and a host has read it anew.
  const changing = { ...deployed(sick, 'print(2)'), zip: async () => Buffer.from('something else') };
  world.jobs.set('a-sick', changing);
  await register(world.parts, world.jobs, world.now);
  const endAll = async () => {
    for (const attempt of world.platform.running()) await world.platform.end(attempt);
    await world.settleDown();
  };
  await endAll();
  expect(world.platform.running()).toMatchObject([{ job: 'b-well' }]);
  await endAll();
  await world.pass(world.now + 50 * minute);
  const about = [...world.queue.messages].filter(({ text }) => text.includes('a-sick'));
  expect(about.length).toBeLessThanOrEqual(1);
  expect(await world.states('a-sick')).not.toContain('succeeded');
  await world.deploy(sick, 'print(3)');
  await world.settleDown();
  expect(world.platform.running('a-sick')).toHaveLength(1);
});

test.each([
  1, 2, 3, 4, 5,
])('whatever the course (seed %i), what waits for a place stands in line, and what runs has one', async (seed) => {
  const random = randomFrom(seed);
  // Which place is taken is chance as well: with the same numbers the course is the same each time.
  vi.spyOn(Math, 'random').mockImplementation(random);
  const policies = ['queue', 'queue', 'allow, concurrency: 2', ['forbid', 'replace'][seed % 2]];
  const jobs = Array.from({ length: 4 }, (_, at) =>
    job(`job-${at}`, { schedule: everyMinute, run: `overlap: ${policies[at % policies.length]}` }),
  );
  const world = await limited(3, ...jobs);
  const hosts = Array.from({ length: 4 }, (_, at) => {
    const places = { ...world.store.places };
    return pipeline(world.host({ person: `host-${at}`, limit: 3, store: { ...world.store, places } }));
  });
  const host = () => hosts[Math.floor(random() * hosts.length)] ?? world.work;
  const settle = async () => {
    for (;;) {
      const taken = await world.queue.take(16, 60);
      const ended = world.platform.nudges.splice(0);
      if (taken.length + ended.length === 0) return;
      await Promise.all([
        ...taken.map(({ text, done }) => host().launch(text, world.now).then(done)),
        ...ended.map((id) => host().finish(id, world.now)),
      ]);
    }
  };
  for (let step = 0; step < 60; step += 1) {
    world.now += 20 * second;
    if (step % 3 === 0) await host().tick(world.now);
    for (const attempt of world.platform.running()) if (random() < 0.3) await world.platform.end(attempt);
    await settle();
    const { line, taken } = await world.store.places.view(Number.POSITIVE_INFINITY);
    const known = new Set([...line, ...taken.map(({ value }) => value)].map((one) => `${one.job}|${one.run}`));
    const forgotten: string[] = [];
    for await (const { value } of world.store.active.all()) {
      if (value.waits === 'place' && !known.has(`${value.job}|${value.run}`))
        forgotten.push(`${value.job}.${value.run}`);
    }
    expect(forgotten).toEqual([]);
    const running = world.platform.running().map((one) => `${one.job}|${one.run}`);
    expect(running.filter((one) => !taken.some(({ value }) => one === `${value.job}|${value.run}`))).toEqual([]);
    expect(running.length).toBeLessThanOrEqual(3);
  }
  expect(world.platform.executions.size).toBeGreaterThan(20);
});
