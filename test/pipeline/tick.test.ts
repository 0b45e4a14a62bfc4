import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { hour, minute } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const reported = (world: World) => world.events.filter((event) => event.type === 'ticked');

test('each tick is reported, by whom and for how many jobs', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }), job('pull', { schedule: hourly }));
  await world.pass(world.now + 3 * minute);
  expect(reported(world)).toHaveLength(4);
  expect(reported(world)[0]).toMatchObject({
    host: 'host',
    jobs: 2,
    behindMs: 0,
    tookMs: expect.any(Number),
    setAside: 0,
  });
});

test('ticks that come as they should are not behind; the first after an outage says by how much', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute }));
  await world.pass(world.now + 3 * minute);
  world.now += 2 * hour;
  await world.work.tick(world.now);
  expect(reported(world).map(({ behindMs }) => behindMs)).toEqual([0, 0, 0, 0, 2 * hour - 1.5 * minute]);
});

test('a tick that fails is not reported as one that was done', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  const before = reported(world).length;
  const { marks } = world.store;
  const away = { ...marks, advance: () => Promise.reject(new Error('storage is unavailable')) };
  const work = pipeline(world.host({ store: { ...world.store, marks: away } }));
  await expect(work.tick(world.now + minute)).rejects.toThrow('storage is unavailable');
  expect(reported(world)).toHaveLength(before);
});

test('a tick says how many launches lie set aside', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  await world.queue.putPoison('what is this?');
  await world.work.tick(world.now + minute);
  expect(reported(world).at(-1)).toMatchObject({ setAside: 1 });
});

test('a queue that does not answer hides neither the tick nor the outage before it', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute }));
  await world.pass(world.now + minute);
  world.now += 2 * hour;
  const launches = { ...world.store.launches, poisonCount: () => Promise.reject(new Error('no answer')) };
  await pipeline(world.host({ store: { ...world.store, launches } })).tick(world.now);
  expect(reported(world).at(-1)?.behindMs).toBeGreaterThan(hour);
  const doing = world.events.flatMap((event) => (event.type === 'trouble' ? [event.doing] : []));
  expect(doing).toContain('counting the launches that were set aside');
});

test('a mark that cannot be read stops no tick, and is reported; only without the cursor nothing is claimed', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  const client = TableClient.fromConnectionString(world.connection, 'service', { allowInsecureConnection: true });
  const tear = (rowKey: string) => client.upsertEntity({ partitionKey: 'service', rowKey, at: 'gibberish' }, 'Replace');
  await tear('behind|other');
  await tear('heartbeat');
  await world.pass(seven + 2 * minute);
  expect(await world.states('score')).toEqual(['succeeded']);
  const doing = world.events.flatMap((event) => (event.type === 'trouble' ? [event.doing] : []));
  expect(doing).toContain('reading the mark behind|other of the service');
  expect(await world.store.marks.get('heartbeat')).toBe(seven + 2 * minute);
  await tear('cursor');
  await expect(world.work.tick(seven + 3 * minute)).rejects.toThrow();
});
