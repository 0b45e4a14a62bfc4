import { expect, test } from 'vitest';
import { answer as answerFinding } from '../../shared/actions/drift.ts';
import { day, hour, minute, second } from '../../shared/instant.ts';
import { cancel } from '../../shared/pipeline/cancel.ts';
import { replayDaily } from '../../shared/pipeline/replay/daily.ts';
import { replaySoon } from '../../shared/pipeline/replay/soon.ts';
import { pipeline } from '../../shared/pipeline.ts';
import type { AttemptSpec } from '../../shared/run/attempt.ts';
import type { Run } from '../../shared/run/run.ts';
import { forget } from '../../shared/upkeep/retention.ts';
import { answer, examples, first, inputOf, second as other, packed, ReplayService } from '../support/drift/replays.ts';
import { seven } from '../support/pipeline/cast.ts';

const isReplayOf = (spec: AttemptSpec) => spec.command[0] === 'lamplighter-replay';

async function replayRuns(service: ReplayService): Promise<Run[]> {
  const found: Run[] = [];
  for await (const { value } of service.world.store.runs.listReplays('score')) found.push(value);
  return found.reverse();
}

/** A service whose examples are pinned: one day has passed. */
async function pinned(lines?: string): Promise<ReplayService> {
  const service = await ReplayService.of({}, await packed('score', {}, lines));
  await service.days(1);
  expect((await service.replays()).map(({ reason, state }) => `${reason} ${state}`)).toEqual(['pin still']);
  return service;
}

test('a replay that is lost is tried once more, then kept as unknown, and the next day it is done', async () => {
  const service = await pinned();
  const { world } = service;
  world.platform.behave = (spec) => (isReplayOf(spec) ? 'vanish' : 'succeed');
  await service.days(1);
  await world.pass(world.now + 30 * minute);
  const [lost] = await service.replays();
  expect(lost).toMatchObject({ reason: 'daily', state: 'unknown' });
  expect(lost?.error).toContain('was lost');
  expect((await replayRuns(service)).at(-1)?.attempts).toHaveLength(2);
  expect(await service.findings()).toEqual([]);
  world.platform.behave = () => 'succeed';
  await service.days(1);
  expect((await service.replays())[0]).toMatchObject({ reason: 'daily', state: 'still' });
  expect(await world.leftovers()).toEqual([]);
});

test('a host that dies between the claim of a replay and its run keeps the next one waiting for minutes, not for ever', async () => {
  const service = await pinned();
  const { world } = service;
  world.now += day;
  const { insert } = world.store.runs;
  world.store.runs.insert = async () => {
    throw new Error('killed');
  };
  await replayDaily(world.parts, world.now);
  world.store.runs.insert = insert;
  expect(await replayRuns(service)).toHaveLength(1);
  await replaySoon(world.parts, 'score', 'change', world.now + minute);
  expect(await replayRuns(service)).toHaveLength(1);
  world.now += 11 * minute;
  await replaySoon(world.parts, 'score', 'change', world.now);
  await service.settle();
  expect((await service.replays())[0]).toMatchObject({ reason: 'change', state: 'still' });
});

test('a replay whose host dies while it runs is finished by another host', async () => {
  const service = await pinned();
  const { world } = service;
  world.platform.behave = (spec) => (isReplayOf(spec) ? 'run' : 'succeed');
  world.deaf = true;
  await service.days(1);
  const [run] = (await replayRuns(service)).slice(-1);
  expect(run?.state).toBe('running');
  await world.platform.end({ job: 'score', run: run?.id ?? '', attempt: 1 });
  const heir = pipeline(world.host({ person: 'heir' }));
  for (let i = 0; i < 5; i++) {
    world.now += minute;
    await heir.tick(world.now);
    await world.settleDown(heir);
  }
  expect((await service.replays())[0]).toMatchObject({ run: run?.id, state: 'still' });
  expect((await world.store.replays.state('score'))?.value.running).toBeNull();
});

test('two hosts that want a replay in the same moment start one', async () => {
  const service = await pinned();
  const { world } = service;
  world.now += day;
  const hosts = [world.host({ person: 'a' }), world.host({ person: 'b' })];
  await Promise.all(hosts.map((parts) => replayDaily(parts, world.now)));
  await service.settle();
  expect(await replayRuns(service)).toHaveLength(2);
  expect(world.platform.starts.filter(isReplayOf)).toHaveLength(2);
});

test('what is wanted while a replay runs is done after it, once', async () => {
  const service = await pinned();
  const { world } = service;
  world.platform.behave = (spec) => (isReplayOf(spec) ? 'run' : 'succeed');
  await service.days(1);
  const [run] = (await replayRuns(service)).slice(-1);
  for (const reason of ['change', 'finding', 'change'] as const)
    await replaySoon(world.parts, 'score', reason, world.now);
  expect(world.platform.starts.filter(isReplayOf)).toHaveLength(2);
  world.platform.behave = () => 'succeed';
  world.now += second;
  await world.platform.end({ job: 'score', run: run?.id ?? '', attempt: 1 });
  await service.settle();
  expect((await service.replays()).map(({ reason }) => reason)).toEqual(['finding', 'daily', 'pin']);
});

test('a replay that hangs ends with its time limit, and the job runs on meanwhile', async () => {
  const service = await pinned('outputs: [out.csv]\nreplay: { command: [python, main.py], timeout: 10s }\n');
  const { world } = service;
  world.platform.behave = (spec) => (isReplayOf(spec) ? 'run' : 'succeed');
  await service.days(1);
  expect((await world.rows('score')).map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
  await world.pass(world.now + 20 * minute);
  for (const id of world.platform.stops.splice(0)) expect(id).toContain('.g');
  const [hung] = await service.replays();
  expect(hung?.state).toBe('unknown');
  expect(hung?.error).toMatch(/was (timed-out|lost|failed)|failed/);
  expect((await world.store.replays.state('score'))?.value.running).toBeNull();
});

test('a cancelled replay leaves nothing behind', async () => {
  const service = await pinned();
  const { world } = service;
  world.platform.behave = (spec) => (isReplayOf(spec) ? 'run' : 'succeed');
  await service.days(1);
  const [run] = (await replayRuns(service)).slice(-1);
  await cancel(world.parts, 'score', run?.id ?? '', { by: 'dana', why: 'too dear today' }, world.now);
  await service.settle();
  expect((await replayRuns(service)).at(-1)?.state).toBe('cancelled');
  expect((await service.replays())[0]?.error).toContain('was cancelled');
  expect(await world.leftovers()).toEqual([]);
});

test('examples of 100 MB are refused with their size, and the job is none the worse for it', async () => {
  const deployed = await packed('score');
  if (deployed.golden) deployed.golden.bytes = 100_000_000;
  const service = await ReplayService.of({}, deployed);
  await service.days(2);
  expect(await replayRuns(service)).toEqual([]);
  const state = (await service.world.store.replays.state('score'))?.value;
  expect(state?.problem).toBe('golden/ holds 100 MB, and at most 20 MB are replayed: keep typical rows only');
  expect((await service.world.rows('score')).map(({ state: one }) => one)).toEqual(['succeeded', 'succeeded']);
});

test('a job without replay: is not replayed, and nothing is read for it', async () => {
  const service = await ReplayService.of({}, await packed('score', {}, 'outputs: [out.csv]\n'));
  let reads = 0;
  const { state } = service.world.store.replays;
  service.world.store.replays.state = (job) => {
    reads++;
    return state(job);
  };
  await service.days(3);
  expect(await replayRuns(service)).toEqual([]);
  expect(reads).toBe(0);
});

test('an example without its input or its accepted answer is named and left out, and the others are compared', async () => {
  const service = await ReplayService.of({}, await packed('score', { 'golden/new/input/in.csv': 'x\n1\n' }));
  await service.days(1);
  expect((await service.replays())[0]).toMatchObject({
    state: 'still',
    of: 12,
    problems: { new: 'has no accepted answer yet: lamp replay --accept' },
  });
});

test('one replay that differs by chance opens nothing: it is looked at again first', async () => {
  const service = await pinned();
  service.answerTo = (name, repeat) => answer(first(inputOf(name)) + (name === 'e1' && repeat === 1 ? 0.1 : 0));
  await service.days(1);
  expect((await service.replays()).map(({ reason, state }) => `${reason} ${state}`)).toEqual([
    'confirm still',
    'daily moved',
    'pin still',
  ]);
  expect(await service.findings()).toEqual([]);
});

test('a job that differs by itself is judged by how much it did when its examples were new', async () => {
  const service = await ReplayService.of({});
  let turn = 0;
  const noisy = new Set(['e1', 'e2']);
  service.answerTo = (name) => answer(first(inputOf(name)) + (noisy.has(name) ? ++turn / 1_000 : 0));
  await service.days(10);
  const [latest] = await service.replays();
  expect(latest).toMatchObject({ state: 'still', changed: 2 });
  expect(latest?.alarmAt).toBeGreaterThan(4);
  expect(await service.findings()).toEqual([]);
  service.answerTo = (name) => answer(other(inputOf(name)));
  await service.days(1);
  expect((await service.findings())[0]?.attribution?.verdict).toBe('early');
});

test('a job whose every answer is another is said to say nothing', async () => {
  const service = await ReplayService.of({});
  let turn = 0;
  service.answerTo = () => answer(++turn / 1_000);
  await service.days(2);
  const [latest] = await service.replays();
  expect(latest).toMatchObject({ state: 'unknown' });
  expect(latest?.error).toContain('every value of it differs by itself');
});

test('new code is replayed when it is deployed, before its first run', async () => {
  const service = await pinned();
  service.world.now += hour;
  service.answerTo = (name) => answer(other(inputOf(name)));
  await service.deploy(await packed('score', { 'main.py': 'print(2)' }));
  await service.settle();
  expect((await service.replays()).map(({ reason }) => reason)).toEqual(['confirm', 'change', 'pin']);
  const [finding] = await service.findings();
  expect(finding?.attribution?.candidates[0]?.change?.kind).toBe('code');
  const incident = await service.world.store.incidents.get({
    job: 'score',
    cause: 'drift',
    subject: finding?.id ?? '',
  });
  expect(incident?.value.text).toContain('The results of the job do not show it yet');
});

test('an early warning ends with the replay that answers as accepted, or with a person who expects the answers', async () => {
  const service = await pinned();
  service.answerTo = (name) => answer(other(inputOf(name)));
  await service.days(1);
  service.answerTo = (name) => answer(first(inputOf(name)));
  await service.days(1);
  expect((await service.findings()).map(({ state }) => state)).toEqual(['recovered']);

  service.answerTo = (name) => answer(other(inputOf(name)));
  await service.days(1);
  const [finding] = await service.findings();
  expect(finding?.state).toBe('open');
  if (finding)
    await answerFinding(service.world.parts, finding, 'expected', { by: 'dana', why: 'better' }, service.world.now);
  await service.days(3);
  expect((await service.replays())[0]?.state).toBe('still');
  expect((await service.findings()).map(({ state }) => state)).toEqual(['expected', 'recovered']);
});

test('a replay leaves a place free for what is expected, and starts when there is room', async () => {
  const service = await pinned();
  const { world } = service;
  world.now += day;
  const parts = world.host({ limit: 2 });
  const work = pipeline(parts);
  await world.store.places.take({ number: 0, job: 'other', run: '20261121T070000Z', attempt: 1, since: world.now });
  await replaySoon(parts, 'score', 'change', world.now);
  await world.settleDown(work);
  expect((await replayRuns(service)).at(-1)?.state).toBe('queued');
  const taken = (await world.store.places.view(10)).taken[0];
  if (taken) await world.store.places.free(taken);
  for (let i = 0; i < 3; i++) {
    world.now += minute;
    await work.tick(world.now);
    await world.settleDown(work);
  }
  expect((await replayRuns(service)).at(-1)?.state).toBe('succeeded');
});

test('a paused job is not replayed', async () => {
  const service = await pinned();
  const { world } = service;
  await world.store.jobs.amend('score', (row) => ({ ...row, paused: { by: 'dana', why: '', at: world.now } }));
  world.now += day;
  await replayDaily(world.parts, world.now);
  await replaySoon(world.parts, 'score', 'change', world.now);
  await service.settle();
  expect((await replayRuns(service)).map(({ state }) => state)).toEqual(['succeeded', 'skipped']);
});

test('replays are forgotten with the runs of their time', async () => {
  const service = await pinned();
  await service.days(2);
  await forget(service.world.parts, seven + 2 * day, { blobs: true });
  expect((await service.replays()).map(({ slot }) => slot >= seven + 2 * day)).toEqual([true]);
  expect(await replayRuns(service)).toHaveLength(1);
});

test('a replay gets no secret but those that the manifest names, and no network in a container', async () => {
  const lines = `secrets: { CRM_KEY: crm-key, MODEL_KEY: model-key }
outputs: [out.csv]
replay: { command: [python, main.py, --replay], timeout: 1m, secrets: [MODEL_KEY] }
`;
  const service = await pinned(lines);
  const [spec] = service.world.platform.starts.filter(isReplayOf);
  expect(Object.keys(spec?.secrets ?? {})).toEqual(['MODEL_KEY']);
  expect(spec).toMatchObject({ env: { JOB_REPLAY: '1' }, inputs: [] });
  expect(JSON.parse(spec?.command[1] ?? '')).toMatchObject({
    command: ['python', 'main.py', '--replay'],
    outputs: ['out.csv'],
    timeoutMs: minute,
    examples: [...examples].sort(),
  });
});
