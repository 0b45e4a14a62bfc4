import { expect, test } from 'vitest';
import { backfill } from '../../shared/actions/backfill.ts';
import { runNow } from '../../shared/actions/run-now.ts';
import { day, minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import type { Active } from '../../shared/store/active.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const asked = { by: 'dana', why: 'because' };

/** A host that says what it lists, and may do something in the middle of it. */
function looking(world: World, meanwhile = async () => {}) {
  const seen: string[] = [];
  const ofJob: Active['ofJob'] = async function* (name, page) {
    for await (const entry of world.store.active.ofJob(name, page)) {
      seen.push(entry.value.run);
      yield entry;
    }
    await meanwhile();
  };
  const active = { ...world.store.active, ofJob };
  return { seen, work: pipeline(world.host({ store: { ...world.store, active } })) };
}

async function marks(world: World) {
  const row = (await world.store.jobs.get('score'))?.value;
  return [row?.waiting, row?.waitingBackfill];
}

test('the end of a run reads no other run of its job while none waits', async () => {
  const world = await World.inMemory(job('score', { schedule: everyMinute }));
  const { seen, work } = looking(world);
  world.now += minute;
  await work.tick(world.now);
  await world.settleDown(work);
  expect(await world.states('score')).toContain('succeeded');
  expect(seen).toEqual([]);
});

test('a run that begins to wait while the last end looks for others is woken by the next end', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, run: 'overlap: queue' }));
  world.platform.behave = () => 'run';
  const first = await runNow(world.parts, 'score', [], asked, world.now);
  await world.settleDown();
  world.now += second;
  const next = await runNow(world.parts, 'score', [], asked, world.now);
  await world.settleDown();
  expect(await marks(world)).toEqual([next.id, null]);

  // The first ends and wakes the second, which starts; the second ends, and while it looks two more come.
  await world.platform.end({ job: 'score', run: first.id, attempt: 1 });
  await world.settleDown();
  await world.platform.end({ job: 'score', run: next.id, attempt: 1 });
  let came = false;
  const { work } = looking(world, async () => {
    if (came) return;
    came = true;
    for (let number = 0; number < 2; number++) {
      world.now += second;
      await runNow(world.parts, 'score', [], asked, world.now);
      await world.settleDown();
    }
  });
  for (const id of world.platform.nudges.splice(0)) await work.finish(id, world.now);
  const [third] = world.platform.running();
  expect(third).toBeDefined();
  expect((await marks(world))[0]).not.toBeNull();
  if (third) await world.platform.end(third);
  await world.settleDown();
  expect(world.platform.running()).toHaveLength(1);
});

test('the mark is removed once no one waits, and the job runs on', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, run: 'overlap: queue' }));
  await runNow(world.parts, 'score', [], asked, world.now);
  world.now += second;
  await runNow(world.parts, 'score', [], asked, world.now);
  await world.settleDown();
  expect(await world.states('score')).toEqual(['succeeded', 'succeeded']);
  world.now += second;
  await runNow(world.parts, 'score', [], asked, world.now);
  await world.settleDown();
  expect(await marks(world)).toEqual([null, null]);
  expect(await world.leftovers()).toEqual([]);
});

test('each end of a long backfill reads a few of those that wait, and all of them run', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, run: 'overlap: allow, concurrency: 2' }));
  const { seen, work } = looking(world);
  const slots = Array.from({ length: 120 }, (_, number) => seven - (200 - number) * day);
  await backfill(world.parts, 'score', slots, [], asked, world.now);
  await world.settleDown(work);
  const states = await world.states('score');
  expect(states).toHaveLength(120);
  expect(new Set(states)).toEqual(new Set(['succeeded']));
  expect(seen.length).toBeLessThan(120 * 25);
  expect(await marks(world)).toEqual([null, null]);
  expect(await world.leftovers()).toEqual([]);
});

test('a scheduled run that waits goes before the rest of a backfill, and the backfill goes on after it', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly, run: 'overlap: queue' }));
  world.platform.behave = () => 'run';
  const slots = Array.from({ length: 40 }, (_, number) => seven - (100 - number) * day);
  await backfill(world.parts, 'score', slots, [], asked, world.now);
  await world.settleDown();
  const person = await runNow(world.parts, 'score', [], asked, world.now);
  await world.settleDown();
  const [under] = world.platform.running();
  expect(under?.run).toMatch(/\.b/);
  if (under) await world.platform.end(under);
  await world.settleDown();
  expect(world.platform.running().map(({ run }) => run)).toEqual([person.id]);
  world.platform.behave = () => 'succeed';
  await world.platform.end({ job: 'score', run: person.id, attempt: 1 });
  await world.settleDown();
  expect(new Set(await world.states('score'))).toEqual(new Set(['succeeded']));
});
