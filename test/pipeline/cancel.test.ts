import { expect, test } from 'vitest';
import { cancel } from '../../shared/actions/cancel.ts';
import { rerun } from '../../shared/actions/rerun.ts';
import { minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { Died } from '../support/pipeline/fault.ts';
import { World } from '../support/pipeline/parts.ts';

const asked = { by: 'dana', why: 'because' };

test('a queued run is cancelled before it starts', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  expect(await cancel(world.parts, 'score', '20261120T070000Z', asked, world.now)).toMatchObject({
    state: 'cancelled',
    reason: 'because',
  });
  await world.pass(seven + 5 * minute);
  expect(world.platform.starts).toHaveLength(0);
  expect(await world.leftovers()).toEqual([]);
});

test('a running run is stopped, reported cancelled, and not tried again; asking twice is one event', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, retry: 'attempts: 3' }));
  world.platform.behave = () => 'run';
  await world.pass(seven + 10 * second);
  await cancel(world.parts, 'score', '20261120T070000Z', asked, world.now);
  await cancel(world.parts, 'score', '20261120T070000Z', asked, world.now);
  await world.settleDown();
  expect(await world.row('score')).toMatchObject({ state: 'cancelled', reason: 'because', attempts: { length: 1 } });
  const kinds = [];
  for await (const { kind } of world.store.events.list('score')) kinds.push(kind);
  expect(kinds.filter((kind) => kind === 'cancelled')).toHaveLength(1);
  expect(await world.leftovers()).toEqual([]);
});

test('a run that is cancelled while it starts is stopped as soon as it can be found', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.platform.behave = () => 'run';
  const { platform } = world;
  const slow = {
    ...world.parts.executor,
    start: async (spec: Parameters<typeof platform.start>[0]) => {
      const handle = await platform.start(spec);
      await cancel({ ...world.parts, executor: deaf }, 'score', spec.run, asked, world.now);
      return handle;
    },
    stop: platform.stop.bind(platform),
    status: platform.status.bind(platform),
  };
  const deaf = { ...slow, stop: async () => {} };
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  world.now = seven;
  await world.settleDown(pipeline(world.host({ executor: slow })));
  expect((await world.row('score')).state).toBe('cancelled');
});

test('a run that waits for its next attempt is cancelled', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, retry: 'attempts: 3, delay: 10m' }));
  world.platform.errorClass = 'network';
  world.platform.behave = () => 'fail';
  await world.pass(seven + 10 * second);
  await cancel(world.parts, 'score', '20261120T070000Z', asked, world.now);
  await world.pass(seven + 30 * minute);
  expect(await world.row('score')).toMatchObject({ state: 'cancelled', attempts: { length: 1 } });
  expect(await world.leftovers()).toEqual([]);
});

test('a stop that is lost is asked for again by the watch', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  world.platform.behave = () => 'run';
  await world.pass(seven + 10 * second);
  const executor = { ...world.parts.executor, stop: () => Promise.reject(new Died('stop')) };
  await cancel(world.host({ executor }), 'score', '20261120T070000Z', asked, world.now);
  expect(world.events).toContainEqual(expect.objectContaining({ type: 'trouble', error: expect.any(Died) }));
  expect((await world.row('score')).state).toBe('running');
  await world.pass(seven + 3 * minute);
  expect((await world.row('score')).state).toBe('cancelled');
});

test('a re-run is a run of its own with the same slot and arguments', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  await world.pass(seven + 10 * second);
  const again = await rerun(world.parts, { ...(await world.row('score')), args: ['--x'] }, asked, world.now);
  await world.settleDown();
  expect(again).toMatchObject({ slot: seven, repeats: '20261120T070000Z', args: ['--x'], trigger: 'rerun' });
  expect(await world.states('score')).toEqual(['succeeded', 'succeeded']);
  expect(world.platform.starts[1]?.command).toEqual(['python', 'main.py', '--x']);
});
