import { beforeAll, expect, test } from 'vitest';
import { pause } from '../../shared/actions/pause.ts';
import { StartError } from '../../shared/executors/executor.ts';
import { minute } from '../../shared/instant.ts';
import { hourly, job, seven, started } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';
import { freshAccount, storeOf } from '../support/storage/account.ts';

const long = `${'why '.repeat(10_000)}😀`;
const store = storeOf(freshAccount());
beforeAll(() => store.prepare());

test('a run whose every text is longer than a row takes is kept, its texts cut with a mark', async () => {
  const asked = { by: long, why: long };
  const run = started('long', { reason: long, asked, cancel: { ...asked, at: seven }, warnings: [long, long] });
  const attempts = Array.from({ length: 12 }, (_, at) => ({ ...run.attempts[0], number: at + 1, error: long }));
  await store.runs.insert({ ...run, attempts: attempts as typeof run.attempts });
  const found = (await store.runs.get('long', run.id))?.value;
  for (const text of [
    found?.reason,
    found?.asked?.why,
    found?.cancel?.by,
    found?.warnings[1],
    found?.attempts[11]?.error,
  ]) {
    expect(text).toMatch(/… \(cut; 40002 characters in all\)$/);
  }
});

test('lamp pause with a reason of 40,000 characters pauses', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  expect(await pause(world.parts, 'score', { by: 'sam', why: long }, seven)).toBe(true);
  expect((await world.store.jobs.get('score'))?.value.paused?.why).toMatch(/\(cut; 40002 characters in all\)$/);
  await world.pass(seven + minute);
  expect(await world.states('score')).toEqual(['skipped paused']);
  const [deployed, paused] = await events(world);
  expect(paused).toMatchObject({ kind: 'paused', by: 'sam', why: expect.stringMatching(/40002/) });
  expect(deployed).toMatchObject({ kind: 'deployed' });
});

test('a platform that refuses a start in 40,000 characters fails the run with its class and the reason', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  Object.assign(world.platform, {
    start: () => Promise.reject(new StartError('configuration', `no such image ${long}`)),
  });
  await world.pass(seven + minute);
  const run = await world.row('score');
  expect(run).toMatchObject({ state: 'failed', attempts: [{ errorClass: 'configuration' }] });
  expect(run.attempts[0]?.error).toMatch(/^no such image why why .*\(cut; 40016 characters in all\)$/);
});

test('a platform that is busy in 40,000 characters each time is waited for', async () => {
  const world = await World.of(job('score', { schedule: hourly }));
  let refusals = 0;
  const start = world.platform.start.bind(world.platform);
  Object.assign(world.platform, {
    start: async (spec: Parameters<typeof start>[0]) => {
      if (++refusals <= 5) throw new StartError('throttled', long);
      return start(spec);
    },
  });
  await world.pass(seven + 40 * minute);
  expect((await world.row('score')).state).toBe('succeeded');
  expect(refusals).toBe(6);
});

test('what is no text for people is refused by name, and not cut: not the answer of a service', async () => {
  const schedules = Array.from({ length: 400 }, (_, at) => ({
    ...{ cron: `${at % 60} * * * *`, timeZone: 'America/Argentina/ComodRivadavia', catchUp: 'latest' as const },
    ...{ catchUpLimit: 1, mustStartWithinMs: null, mustFinishBy: null, args: [] },
  }));
  const world = await World.of(job('score', { schedule: hourly }));
  const amended = world.store.jobs.amend('score', (row) => ({ ...row, schedules }));
  await expect(amended).rejects.toThrow(
    /^schedules of jobs, row score takes \d+ characters, and a row holds 32768: make it/,
  );
  const run = started('long', { args: [long] });
  await expect(store.runs.insert(run)).rejects.toThrow(/^args of long.* takes \d+ characters/);
});

async function events(world: World) {
  const found = [];
  for await (const event of world.store.events.list('score')) found.push(event);
  return found.sort((a, b) => a.at - b.at);
}
