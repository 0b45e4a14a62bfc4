import { describe, expect, test } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { everyMinute, job } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

/** What has got lost is found again although others come all the time. */

const allSlots = '{ cron: "* * * * *", timeZone: UTC, catchUp: all }';

/** A queue that hosts keep up with no better than this: there is always a message that waits. */
async function busyMinutes(world: World, count: number): Promise<void> {
  for (let minutes = 0; minutes < count; minutes++) {
    world.now += minute;
    world.queue.add('one more', world.now - 45 * second);
    await world.work.tick(world.now);
    await world.settleDown();
  }
}

describe('while the launch queue is busy', () => {
  test('a retry whose message is lost is queued again', async () => {
    const world = await World.inMemory(
      job('score', { schedule: '{ cron: "0 * * * *", timeZone: UTC }', retry: 'attempts: 2, delay: 20s, on: [lost]' }),
    );
    world.platform.behave = () => 'vanish';
    await world.pass(world.now + 30 * minute);
    while ((await world.row('score')).state !== 'retrying') {
      world.now += minute;
      await world.work.tick(world.now);
    }
    world.platform.behave = () => 'succeed';
    world.queue.messages.clear();
    await busyMinutes(world, 6);
    expect(await world.states('score')).toEqual(['succeeded']);
  });

  test('a slot whose message is lost is queued again', async () => {
    const world = await World.inMemory(job('score', { schedule: '{ cron: "0 * * * *", timeZone: UTC }' }));
    world.platform.behave = () => 'succeed';
    for (world.now += 29 * minute; (await world.rows('score')).length === 0; world.now += minute) {
      await world.work.tick(world.now);
    }
    world.queue.messages.clear();
    await busyMinutes(world, 6);
    expect(await world.states('score')).toEqual(['succeeded']);
  });

  test('and while no one takes launches at all, no second message lies beside the first', async () => {
    const world = await World.inMemory(job('score', { schedule: everyMinute }));
    for (let minutes = 0; minutes < 30; minutes++) {
      world.now += minute;
      await world.work.tick(world.now);
    }
    const texts = [...world.queue.messages].map(({ text }) => JSON.parse(text).run);
    expect(texts.length).toBe(new Set(texts).size);
  });
});

test('slots whose rows could not be written for a while run in their order as soon as they can', async () => {
  const world = await World.inMemory(
    job('score', { schedule: allSlots, run: 'overlap: queue' }),
    job('other', { schedule: everyMinute }),
  );
  world.platform.behave = () => 'run';
  let broken = true;
  const { runs } = world.store;
  const insertAll: typeof runs.insertAll = async (rows) => {
    if (broken && rows.some((row) => row.job === 'score')) throw new Error('no row of this job can be written');
    return runs.insertAll(rows);
  };
  const work = pipeline(world.host({ store: { ...world.store, runs: { ...runs, insertAll } } }));
  const pass = async (minutes: number) => {
    for (let done = 0; done < minutes; done++) {
      world.now += minute;
      await work.tick(world.now);
      await world.settleDown(work);
      for (let turn = 0; turn < 20; turn++) {
        for (const attempt of world.platform.running()) await world.platform.end(attempt);
        await world.settleDown(work);
      }
    }
  };
  await pass(10);
  expect((await world.rows('score')).length).toBeLessThan(3);
  broken = false;
  await pass(5);
  const due = (await world.rows('score')).filter(({ slot }) => slot <= world.now);
  expect(due.length).toBeGreaterThan(13);
  expect(due.filter(({ state }) => state !== 'succeeded').map(({ id, state }) => `${id} ${state}`)).toEqual([]);
  // What is left is ahead of its time, and the watch will look in time.
  for await (const { value } of world.store.active.all()) {
    expect(value).toMatchObject({ checkAfter: expect.any(Number) });
    expect(value.waits).toBeUndefined();
  }
});
