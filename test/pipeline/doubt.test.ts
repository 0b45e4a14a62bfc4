import { expect, test } from 'vitest';
import { cancel } from '../../shared/actions/cancel.ts';
import { minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import type { Run } from '../../shared/run/run.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const id = '20261120T070000Z';
const asked = { by: 'dana', why: 'wrong list' };

/** A host whose write of a run arrives, and is answered with 412: the SDK sent it twice, and the first answer was lost. */
function doubting(world: World, when: (run: Run) => boolean) {
  const { runs } = world.store;
  const replace: typeof runs.replace = async (run, etag) => {
    const written = await runs.replace(run, etag);
    return when(run) ? undefined : written;
  };
  return world.host({ store: { ...world.store, runs: { ...runs, replace } } });
}

async function queued(schedule = hourly): Promise<World> {
  const world = await World.inMemory(job('score', { schedule }));
  world.now = seven - 30 * second;
  await world.work.tick(world.now);
  return world;
}

test('a lost answer to the start of an attempt starts it at once, once', async () => {
  const world = await queued();
  world.now = seven;
  const work = pipeline(doubting(world, ({ state }) => state === 'starting'));
  await world.settleDown(work);
  expect(await world.states('score')).toEqual(['succeeded']);
  expect((await world.row('score')).attempts).toHaveLength(1);
  expect(world.platform.starts).toHaveLength(1);
});

test('two hosts with the same message start one attempt, though one of them doubts', async () => {
  const world = await queued();
  world.now = seven;
  const text = JSON.stringify({ job: 'score', run: id, attempt: 1 });
  const works = [pipeline(doubting(world, ({ state }) => state === 'starting')), pipeline(world.host({ person: 'b' }))];
  await Promise.all(works.map((work) => work.launch(text, seven)));
  await world.settleDown();
  expect(await world.states('score')).toEqual(['succeeded']);
  expect(world.platform.starts).toHaveLength(1);
});

test('a lost answer to a give-up does what follows: the run is reported and its entry is gone', async () => {
  const world = await queued(hourly.replace(' }', ', mustStartWithin: 5m }'));
  world.now = seven + 6 * minute;
  await world.settleDown(pipeline(doubting(world, ({ state }) => state === 'missed')));
  expect(await world.states('score')).toEqual(['missed start-within']);
  expect(world.events.filter(({ type }) => type === 'run-not-started')).toHaveLength(1);
  expect(await world.leftovers()).toEqual([]);
});

test('a lost answer to a cancel is a cancel, with one event in the audit', async () => {
  const audit = async (world: World) => {
    const kinds: string[] = [];
    for await (const { kind } of world.store.events.list('score')) if (kind === 'cancelled') kinds.push(kind);
    return kinds;
  };
  const waiting = await queued();
  const doubts = doubting(waiting, ({ cancel: asked }) => asked !== null);
  expect(await cancel(doubts, 'score', id, asked, waiting.now)).toMatchObject({ state: 'cancelled' });
  expect(await audit(waiting)).toEqual(['cancelled']);
  expect(await waiting.leftovers()).toEqual([]);

  const world = await queued();
  world.platform.behave = () => 'run';
  await world.pass(seven + second);
  await cancel(
    doubting(world, ({ cancel: asked }) => asked !== null),
    'score',
    id,
    asked,
    world.now,
  );
  expect(await audit(world)).toEqual(['cancelled']);
  expect(world.platform.stops).toHaveLength(1);
  await world.settleDown();
  expect(await world.states('score')).toEqual(['cancelled']);
});

test('a cancel that dies after its first write is in the audit', async () => {
  const world = await queued();
  const { runs } = world.store;
  const dying = world.host({
    store: { ...world.store, runs: { ...runs, replace: () => Promise.reject(new Error('power cut')) } },
  });
  await expect(cancel(dying, 'score', id, asked, world.now)).rejects.toThrow('power cut');
  const kinds: string[] = [];
  for await (const { kind } of world.store.events.list('score')) kinds.push(kind);
  expect(kinds).toContain('cancelled');
});
