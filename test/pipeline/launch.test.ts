import { expect, test } from 'vitest';
import { runNow } from '../../shared/actions/run-now.ts';
import { eventText } from '../../shared/events.ts';
import { minute, second } from '../../shared/instant.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { catalogOf, hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

test('what an attempt needs and cannot get is tried again within seconds, and the run says what it was', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  const { urls } = world.store.attempts;
  Object.assign(world.store.attempts, {
    urls: async (...given: Parameters<typeof urls>) => {
      if (given[0].attempt === 1) throw new Error('https://data… gives no key to sign addresses with');
      return urls(...given);
    },
  });
  await world.pass(seven + minute);
  const run = await world.row('score');
  expect(run.attempts.map(({ state }) => state)).toEqual(['abandoned', 'succeeded']);
  expect(run.attempts[0]).toMatchObject({
    errorClass: 'infrastructure',
    error: expect.stringContaining('gives no key to sign addresses with'),
  });
  expect(run.endedAt).toBeLessThan(seven + 30 * second);
});

test('a new job that a host of the package before is handed waits for one that knows it', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  const before = pipeline(world.host({ catalog: () => catalogOf(job('score', { schedule: hourly })) }));
  await world.deploy(job('fresh', { schedule: hourly }));
  const asked = { by: 'dana', why: 'first time' };
  await runNow(world.parts, 'fresh', [], asked, world.now);
  await world.settleDown(before);
  expect(await world.states('fresh')).toEqual(['queued']);
  await world.pass(world.now + minute);
  expect(await world.states('fresh')).toEqual(['succeeded']);
});

test('two packages, one right after the other, leave the jobs of the second, and no code is missing', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  const first = catalogOf(job('score', { schedule: '{ cron: "30 * * * *", timeZone: UTC }' }), job('extra'));
  const second_ = catalogOf(job('score', { schedule: hourly, run: 'timeout: 5m' }), job('extra'));
  const hosts = [first, second_].map((catalog) => world.host({ catalog: () => catalog }));
  await Promise.all(hosts.map((parts) => register(parts, parts.catalog(), world.now)));
  world.jobs.clear();
  for (const [name, deployed] of second_) world.jobs.set(name, deployed);
  await register(world.parts, world.catalog(), world.now + minute);
  await runNow(world.parts, 'extra', [], { by: 'dana', why: '' }, world.now);
  await world.pass(seven + minute);
  const slots = (await world.rows('score')).filter(({ state }) => state === 'succeeded').map(({ slot }) => slot);
  expect(slots.at(-1)).toBe(seven);
  expect(await world.states('extra')).toEqual(['succeeded']);
  expect((await world.store.jobs.get('score'))?.value.bundle).toBe(second_.get('score')?.bundle);
});

test('neither a log line nor the history holds the signature of an address that an error repeats', async () => {
  const signed = 'https://data.blob.core.windows.net/runs/x/spec.json?sv=2026&sig=worth-a-job%3D';
  expect(eventText({ type: 'trouble', doing: 'launching', error: new Error(`PUT ${signed} failed`) })).toBe(
    'trouble while launching: PUT https://data.blob.core.windows.net/runs/x/spec.json?… failed',
  );
  const world = await World.inMemory(job('score', { schedule: hourly }));
  Object.assign(world.store.attempts, { urls: () => Promise.reject(new Error(`GET ${signed} failed`)) });
  await world.pass(seven + second);
  expect((await world.row('score')).attempts[0]?.error).toContain('spec.json?… failed');
  expect(JSON.stringify([await world.rows('score'), world.events.map(eventText)])).not.toContain('sig=');
});

test('a job that reads what another has not left for thousands of runs starts without it, and does not read them all', async () => {
  const reader = job('reader', { schedule: hourly, more: 'inputs: [source/rows.csv]' });
  const world = await World.inMemory(reader, job('source', { more: 'outputs: [rows.csv]' }));
  const outputs = [{ path: 'rows.csv', bytes: 1, sha256: 'ab'.repeat(32), rows: 1, problem: null }];
  const past = (at: number, more: Partial<Run>) =>
    newRun('source', seven - at * minute, 'schedule', seven - at * minute, { endedAt: seven - at * minute, ...more });
  const failed = Array.from({ length: 5_100 }, (_, at) => past(at + 1, { state: 'failed' }));
  await world.store.runs.insertAll([...failed, past(6_000, { state: 'succeeded', outputs })]);
  const { list } = world.store.runs;
  let read = 0;
  Object.assign(world.store.runs, {
    async *list(...given: Parameters<typeof list>) {
      for await (const row of list(...given)) {
        read += 1;
        yield row;
      }
    },
  });
  await world.pass(seven + second);
  expect(world.platform.starts[0]).toMatchObject({ job: 'reader', inputs: [] });
  expect(read).toBeLessThanOrEqual(5_000);
});
