import { expect, test } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import { type Pipeline, pipeline } from '../../shared/pipeline.ts';
import { slotsBetween } from '../../shared/schedule/schedule.ts';
import { everyMinute, job } from '../support/pipeline/cast.ts';
import type { Behaviour } from '../support/pipeline/executor.ts';
import { Died, disturbed } from '../support/pipeline/fault.ts';
import { World } from '../support/pipeline/parts.ts';
import { numbers } from '../support/pipeline/random.ts';

const cast = () => [
  job('often', { schedule: everyMinute }),
  job('patient', { schedule: '{ cron: "*/7 * * * *", timeZone: Asia/Kolkata, catchUp: all }', run: 'overlap: queue' }),
  job('keen', {
    schedule: '{ cron: "*/5 * * * *", timeZone: UTC, catchUp: none }',
    retry: 'attempts: 3, delay: 20s, on: [network]',
  }),
  job('many', {
    schedule: '{ cron: "*/3 * * * *", timeZone: UTC, catchUp: all }',
    run: 'overlap: allow, concurrency: 2',
  }),
  job('newest', { schedule: '{ cron: "*/4 * * * *", timeZone: UTC }', run: 'overlap: replace, timeout: 5m' }),
];
const behaviours: Behaviour[] = [
  'succeed',
  'succeed',
  'succeed',
  'run',
  'fail',
  'vanish',
  'never',
  'refuse',
  'cut',
  'twice',
  'refuse-started',
];

test.each([
  1, 2,
])('two hosts over failing storage, dying at random, leave one row a slot and run no attempt twice (seed %i)', async (seed) => {
  const random = numbers(seed);
  const jobs = cast();
  const world = await World.of(...jobs);
  const from = world.now;
  world.platform.errorClass = 'network';
  world.platform.behave = () => behaviours[Math.floor(random() * behaviours.length)] ?? 'succeed';

  // Each host works in steps; each call of storage or platform fails now and then, with or without effect.
  const hosts = ['one', 'two'].map((person) => {
    const host = { work: world.work as Pipeline, deadUntil: 0, calls: () => 0 };
    const { parts } = disturbed(world.host({ person }), () => {
      if (world.now < host.deadUntil) return 'before';
      if (random() < 0.004) host.deadUntil = world.now + random() * 12 * minute;
      return random() < 0.02 ? (random() < 0.5 ? 'before' : 'after') : undefined;
    });
    host.work = pipeline(parts);
    return host;
  });
  const survive = async (doing: Promise<unknown>) => {
    await doing.catch((error) => {
      if (!(error instanceof Died) && error?.message !== 'socket hang up') throw error;
    });
  };
  const step = async (host: (typeof hosts)[number]) => {
    if (world.now < host.deadUntil) return;
    await survive(host.work.tick(world.now));
    for (const { text, done, count } of await world.queue.take(8, 60)) {
      await survive(host.work.launch(text, world.now).then(done));
      if (count > 5) await done();
    }
    const ended = world.platform.nudges.pop();
    if (ended && random() < 0.7) await survive(host.work.finish(ended, world.now));
  };
  const until = from + 60 * minute;
  while (world.now < until) {
    world.now += 30 * second;
    await Promise.all(hosts.map(step));
    for (const attempt of world.platform.running()) {
      if (random() < 0.2) await world.platform.end(attempt, random() < 0.7 ? 'succeeded' : 'failed');
      else if (random() < 0.02) world.platform.kill(attempt);
    }
  }

  // Quiet: everything works, and no new slots come.
  await world.work.tick(world.now);
  for (const { job: one } of world.jobs.values()) one.status = 'decommissioned';
  world.platform.behave = () => 'succeed';
  const cursor = (await world.store.marks.get('cursor')) ?? 0;
  for (let i = 0; i < 60 && (await world.leftovers()).length > 0; i++) {
    for (const attempt of world.platform.running()) await world.platform.end(attempt);
    await world.pass(world.now + minute);
  }

  expect(await world.leftovers()).toEqual([]);
  for (const { name, schedules } of jobs) {
    const [schedule] = schedules;
    const expected = schedule ? slotsBetween(schedule.schedule, from, cursor) : [];
    const rows = (await world.rows(name)).filter(({ id }) => !id.includes('.'));
    expect([name, rows.map(({ slot }) => slot)]).toEqual([name, expected]);
    expect(rows.filter(({ state }) => ['queued', 'starting', 'running', 'retrying'].includes(state))).toEqual([]);
    for (const run of rows) expect(run.attempts.map(({ number }) => number)).toEqual(run.attempts.map((_, i) => i + 1));
  }
  expect(world.platform.executions.size).toBeGreaterThan(50);
});
