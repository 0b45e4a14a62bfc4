import { expect, test, vi } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { runId } from '../../shared/run/run.ts';
import { randomFrom } from '../faults/random.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
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

test('a run that another host parked, and that starts by a message of before, is looked after as one that runs', async () => {
  const world = await limited(1, ...['a', 'b'].map((name) => job(name, { schedule: hourly })));
  const [claimer, other] = [pipeline(world.apart()), pipeline(world.apart())];
  world.now = seven - minute;
  await claimer.tick(world.now);
  world.now = seven;
  for (const { text, done } of await world.queue.take(2, 60)) await other.launch(text, world.now).then(done);
  const [waiting] = (await world.store.places.view(1)).line;
  if (!waiting) throw new Error('one of them waits');
  const { job: name, run, attempt } = waiting;
  expect((await world.store.active.get(name, run))?.value.waits).toBe('place');
  // The end of the other wakes it, and the message of before comes first.
  for (const id of world.platform.running()) await world.platform.end(id).then(() => other.finish(id, world.now));
  await claimer.launch(JSON.stringify({ job: name, run, attempt }), world.now);
  expect(world.platform.running()).toMatchObject([{ job: name }]);
  expect((await world.store.active.get(name, run))?.value.waits).toBeUndefined();
});

test.each([
  1, 2, 3, 40, 123, 257,
])('whatever the course (seed %i), what waits for a place stands in line, and what runs has one', async (seed) => {
  const random = randomFrom(seed);
  // Which place is taken is chance as well: with the same numbers the course is the same each time.
  vi.spyOn(Math, 'random').mockImplementation(random);
  const policies = ['queue', 'queue', 'allow, concurrency: 2', ['forbid', 'replace'][seed % 2]];
  const jobs = Array.from({ length: 4 }, (_, at) =>
    job(`job-${at}`, { schedule: everyMinute, run: `overlap: ${policies[at % policies.length]}` }),
  );
  const world = await limited(3, ...jobs);
  const hosts = Array.from({ length: 4 }, (_, at) => pipeline(world.apart({ person: `host-${at}` })));
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
