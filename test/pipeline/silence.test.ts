import { expect, onTestFinished, test } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import { fair, proxy } from '../faults/proxy.ts';
import { everyMinute, job } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

test.each([
  'Queue',
  'Table',
])('a %s request that is never answered ends its tick, and the next tick claims all', async (service) => {
  const world = await World.of(job('score', { schedule: everyMinute }));
  let silent = 0;
  const [whole = '', port] =
    new RegExp(`${service}Endpoint=http://127\\.0\\.0\\.1:(\\d+)`).exec(world.connection) ?? [];
  const between = await proxy(
    Number(port),
    () => ({ ...fair, silent }),
    () => 0.5,
  );
  onTestFinished(() => between.close());
  const connection = world.connection.replace(whole, `${service}Endpoint=http://127.0.0.1:${between.port}`);
  const limits = { rowsMs: second / 2, blobsMs: second / 2 };
  const store = { ...openStore(connection, undefined, limits), time: world.store.time };
  const parts = world.host({ store });
  const work = pipeline(parts);

  silent = 1;
  const thrown = await work.tick(world.now).catch((error: Error) => error);
  const troubles = world.events.filter((event) => event.type === 'trouble').map(({ error }) => error);
  expect([thrown, ...troubles].map(String).join()).toMatch(/no answer from 127\.0\.0\.1:\d+ within 0\.5 s/);
  expect(between.counts.silent).toBeGreaterThan(0);

  silent = 0;
  await work.tick(world.now + minute);
  expect(await world.states('score')).toHaveLength(2);
});
