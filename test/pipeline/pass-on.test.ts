import { expect, test, vi } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import type { Catalog } from '../../shared/job/catalog.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { deployed, hourly, job, seven } from '../support/pipeline/cast.ts';
import { limited } from '../support/pipeline/limited.ts';
import { World } from '../support/pipeline/parts.ts';

/** What the host that takes a launch cannot start. */

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

test('code that is what the store has again, after a reading that could not be stored, has its runs started at once', async () => {
  const score = job('score', { schedule: hourly });
  const world = await World.inMemory(score);
  await world.pass(seven - second);
  let read: Catalog = new Map();
  const parts = world.host({ catalog: () => read });
  const host = pipeline(parts);
  // A temporary file came, and went while it was packed.
  read = new Map([['score', { ...deployed(score, 'print(2)'), zip: async () => Buffer.from('something else') }]]);
  await register(parts, read, world.now);
  world.now = seven;
  await world.settleDown(host);
  expect(await world.states('score')).toEqual(['queued']);
  read = new Map([['score', deployed(score)]]);
  await register(parts, read, world.now);
  await world.settleDown(host);
  expect(await world.states('score')).toEqual(['succeeded']);
});

test('a second try that comes long after its slot is passed on as well, to a host that knows the job', async () => {
  const world = await World.inMemory(
    job('score', { schedule: hourly, retry: 'attempts: 2, delay: 20m, maxDelay: 20m, backoff: constant' }),
  );
  world.platform.behave = () => 'fail';
  await world.pass(seven + 10 * second);
  const { id, nextAttemptAt } = await world.row('score');
  world.now = nextAttemptAt ?? 0;
  const catalog = Object.assign(new Map(), { package: { made: seven - 60 * minute, read: seven - 60 * minute } });
  const older = pipeline(world.host({ catalog: () => catalog }));
  world.queue.messages.clear();
  await older.launch(JSON.stringify({ job: 'score', run: id, attempt: 2 }), world.now);
  expect(await world.states('score')).toEqual(['retrying']);
  expect([...world.queue.messages].map(({ visibleAt }) => visibleAt - world.now)).toEqual([15 * second]);
});

test('a package that is older than what is registered wakes nothing, however often it ticks', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  const packaged = (code: string, made: number): Catalog =>
    Object.assign(new Map([['score', deployed(job('score', { schedule: hourly }), code)]]), {
      // A process that began after the newer one was registered, as in a roll-back.
      package: { made, read: seven + 2 * minute },
    });
  const [before, after] = [packaged('print(2)', seven - 20 * minute), packaged('print(3)', seven - 10 * minute)];
  world.now = seven + minute;
  await register(world.host({ catalog: () => after }), after, world.now);
  world.now += 2 * minute;
  const older = world.host({ catalog: () => before });
  await register(older, before, world.now);
  const lists = vi.spyOn(world.store.active, 'ofJob');
  for (let at = 0; at < 5; at += 1) {
    world.now += 10 * second;
    await pipeline(older).tick(world.now);
  }
  expect((await world.store.jobs.get('score'))?.value.bundle).toBe(after.get('score')?.bundle);
  expect(lists).not.toHaveBeenCalled();
});
