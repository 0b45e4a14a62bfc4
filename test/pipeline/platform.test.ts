import { expect, onTestFinished, test, vi } from 'vitest';
import { cancel } from '../../shared/actions/cancel.ts';
import { eventText } from '../../shared/events.ts';
import { StartError } from '../../shared/executors/executor.ts';
import { hour, type Instant, minute, second } from '../../shared/instant.ts';
import { SecretError } from '../../shared/secrets/vault.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const daily = '{ cron: "0 7 * * *", timeZone: UTC }';

/** A platform that refuses every start until an instant; then it works. */
function unavailable(world: World, until: Instant, retryAfterMs?: number): void {
  const { start } = world.platform;
  world.platform.start = async (spec) => {
    if (world.now < until) throw new StartError('throttled', 'Azure is asked too often (429)', undefined, retryAfterMs);
    return start.call(world.platform, spec);
  };
}

test('a platform that is unavailable for twenty minutes is waited for, and the run says so meanwhile', async () => {
  const world = await World.inMemory(job('score', { schedule: daily }));
  unavailable(world, seven + 20 * minute);
  await world.pass(seven + 16 * minute);
  const waiting = await world.row('score');
  expect(waiting.state).toBe('retrying');
  expect(waiting.reason).toMatch(/^waits for the platform since 2026-11-20T07:00:00Z, at most until .*429/);
  expect(world.events.map(eventText).join('\n')).toMatch(/score\S+ waits for the platform since .*tried again at/);
  await world.pass(seven + 27 * minute);
  const run = await world.row('score');
  expect(run).toMatchObject({ state: 'succeeded', reason: null });
  // None of its one attempt was used up.
  expect(run.attempts.filter(({ state }) => state !== 'abandoned')).toHaveLength(1);
  expect(await world.leftovers()).toEqual([]);
});

test('five hours are not too long, and after six it is given up with the cause', async () => {
  const world = await World.inMemory(job('score', { schedule: daily }), job('other', { schedule: daily }));
  unavailable(world, seven + 5 * hour);
  await world.pass(seven + 5 * hour + 30 * minute);
  expect(await world.states('score')).toEqual(['succeeded']);

  const worse = await World.inMemory(job('score', { schedule: daily }));
  unavailable(worse, seven + 9 * hour);
  await worse.pass(seven + 7 * hour);
  const run = await worse.row('score');
  expect(run.state).toBe('failed');
  expect(run.attempts.at(-1)?.error).toMatch(/given up after 6 h of waiting for the platform: .*429/);
  expect(await worse.leftovers()).toEqual([]);
});

test('a slot that must start by an instant is tried until then, and missed with what the platform said', async () => {
  const world = await World.inMemory(
    job('score', { schedule: '{ cron: "0 7 * * *", timeZone: UTC, mustStartWithin: 7m }' }),
  );
  unavailable(world, seven + hour);
  await world.pass(seven + 8 * minute);
  const run = await world.row('score');
  expect(run).toMatchObject({ state: 'missed', reasonCode: 'start-within' });
  expect(run.reason).toContain('429');
  expect(run.endedAt).toBeLessThanOrEqual(seven + 7 * minute + second);
  expect(await world.leftovers()).toEqual([]);
});

test('a Retry-After of half an hour is honoured: one start before it, one after', async () => {
  const world = await World.inMemory(job('score', { schedule: daily }));
  let asked = 0;
  unavailable(world, seven + 30 * minute, 30 * minute);
  const { start } = world.platform;
  world.platform.start = (spec) => {
    asked += 1;
    return start.call(world.platform, spec);
  };
  await world.pass(seven + 29 * minute);
  expect(asked).toBe(1);
  await world.pass(seven + 31 * minute);
  expect(asked).toBe(2);
  expect(await world.states('score')).toEqual(['succeeded']);
});

test('a Key Vault that is unavailable is waited for as well, and a secret that is missing is not', async () => {
  const lines = { schedule: daily, more: 'secrets: { KEY: crm-key }' };
  const world = await World.inMemory(job('score', lines));
  const read = async () => {
    if (world.now < seven + 40 * minute) throw new SecretError('unreachable', 'the vault did not answer in time');
    return { value: 'x', version: 'v1' };
  };
  Object.assign(world.parts.vault, { read });
  await world.pass(seven + 50 * minute);
  expect(await world.states('score')).toEqual(['succeeded']);

  const other = await World.inMemory(job('score', lines));
  Object.assign(other.parts.vault, { read: () => Promise.reject(new SecretError('missing', 'there is none')) });
  await other.pass(seven + minute);
  expect(await other.states('score')).toEqual(['failed']);
});

test('a run that waits for the platform can be cancelled at once, and its job goes on', async () => {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  unavailable(world, seven + 30 * minute);
  await world.pass(seven + 5 * minute);
  await cancel(world.parts, 'score', '20261120T070000Z', { by: 'dana', why: 'enough' }, world.now);
  await world.pass(seven + hour + minute);
  expect((await world.states('score')).slice(0, 2)).toEqual(['cancelled', 'succeeded']);
});

test.each([
  ['latest', ['succeeded', 'missed', 'succeeded late', 'succeeded']],
  ['none', ['succeeded', 'missed', 'succeeded']],
  ['all', ['succeeded', 'succeeded late', 'succeeded']],
])('slots behind a run that waits for the platform are not skipped for it: they are caught up as the job says (%s)', async (catchUp, expected) => {
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.5);
  onTestFinished(() => random.mockRestore());
  const world = await World.inMemory(job('score', { schedule: everyMinute.replace(' }', `, catchUp: ${catchUp} }`) }));
  await world.pass(seven - second);
  unavailable(world, seven + 9.5 * minute);
  await world.pass(seven + 20 * minute + second);
  const runs = (await world.rows('score')).filter(({ slot }) => slot >= seven && slot < world.now);
  const states = runs.map(({ state, slot, startedAt }) => {
    return startedAt !== null && startedAt > slot + 5 * second && slot > seven ? `${state} late` : state;
  });
  expect(states.filter((state, at) => state !== states[at - 1])).toEqual(expected);
  for (const { state, reason } of runs) {
    if (state === 'missed') expect(reason).toBe(`the platform was unavailable (catchUp: ${catchUp})`);
  }
});

test('runs that waited for the platform keep their order, also when the host that was to wake them has died', async () => {
  const schedule = '{ cron: "* * * * *", timeZone: UTC, catchUp: all }';
  const world = await World.inMemory(job('score', { schedule, run: 'overlap: forbid' }));
  unavailable(world, seven + 4 * minute + 30 * second);
  // What would wake those that wait is lost until another is long under way.
  const { launches } = world.store;
  const put = launches.put.bind(launches);
  launches.put = async (message, at, now) => {
    const waited = now > seven + minute && at <= now && message.attempt === 1;
    if (!waited || now > seven + 6 * minute) await put(message, at, now);
  };
  // The first that starts takes long.
  let first: string | undefined;
  world.platform.behave = ({ run }) => {
    first ??= run;
    return run === first ? 'run' : 'succeed';
  };
  await world.pass(seven + 20 * minute);
  for (const long of world.platform.running()) await world.platform.end(long);
  await world.pass(seven + 40 * minute);
  const runs = (await world.rows('score')).filter(({ slot }) => slot >= seven && slot <= seven + 4 * minute);
  expect(runs.map(({ state, reason }) => [state, reason])).toEqual(runs.map(() => ['succeeded', null]));
  const starts = runs.map(({ startedAt }) => startedAt ?? 0);
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
});
