import { expect, onTestFinished, test } from 'vitest';
import { day, minute } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import { fair, proxy, type Weather } from '../faults/proxy.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

/** A host whose way to the tables is the test's. */
async function through(world: World, weather: () => Weather) {
  const [, port] = /TableEndpoint=http:\/\/127\.0\.0\.1:(\d+)/.exec(world.connection) ?? [];
  const way = await proxy(Number(port), weather, () => 0.5);
  onTestFinished(() => way.close());
  const far = openStore(world.connection.replace(`127.0.0.1:${port}`, `127.0.0.1:${way.port}`));
  const { runs, active, jobs, marks } = far;
  return world.host({ store: { ...world.store, runs, active, jobs, marks } });
}

test('a claim whose every answer gets lost once is made, queued, and starts on time', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  let requests = 0;
  const parts = await through(world, () => ({ ...fair, lose: requests++ % 2 === 0 ? 1 : 0 }));
  world.now = seven - minute;
  await pipeline(parts).tick(world.now);
  expect(requests).toBeGreaterThan(6);
  expect([...world.queue.messages].map(({ text }) => JSON.parse(text).job)).toContain('score');
  world.now = seven;
  await world.settleDown();
  expect(await world.states('score')).toEqual(['succeeded']);
  expect((await world.row('score')).startedAt).toBe(seven);
}, 120_000);

test('doing a tick again after an outage costs about what doing it cost', async () => {
  const many = '{ cron: "* * * * *", timeZone: UTC, catchUp: all, catchUpLimit: 300 }';
  const world = await World.of(job('score', { schedule: many, run: 'overlap: queue' }));
  let requests = 0;
  const parts = await through(world, () => {
    requests += 1;
    return fair;
  });
  world.now = seven + day;
  const { marks } = parts.store;
  const dies = { ...marks, move: () => Promise.reject(new Error('died')) };
  await expect(pipeline({ ...parts, store: { ...parts.store, marks: dies } }).tick(world.now)).rejects.toThrow('died');
  const first = requests;
  const rows = (await world.rows('score')).length;
  expect(rows).toBeGreaterThan(1_400);
  requests = 0;
  await pipeline(parts).tick(world.now);
  expect(await world.rows('score')).toHaveLength(rows);
  expect(requests).toBeLessThan(1.5 * first);
  expect(first).toBeLessThan(200);
});
