import { describe, expect, test } from 'vitest';
import { messageText } from '../../shared/alerts/message.ts';
import { record } from '../../shared/alerts/see.ts';
import { hour, minute } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import type { Incident } from '../../shared/store/incidents.ts';
import { allIncidents, allLetters, withMailbox as open } from '../support/alerts/world.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';

describe('a run that fails', () => {
  test('is reported within two minutes, and so is the recovery, in one thread', async () => {
    const { world, box } = await open(job('score', { schedule: hourly }));
    world.platform.behave = () => 'fail';
    await world.pass(seven + 2 * minute);
    expect(box.titles()).toEqual(['FAILED score']);
    world.platform.behave = () => 'succeed';
    await world.pass(seven + hour + 2 * minute);
    expect(box.titles()).toEqual(['FAILED score', 'RECOVERED score']);
    const [failed, recovered] = box.arrived;
    expect(recovered?.message.thread).toBe(failed?.message.thread);
    expect(failed?.message.key).toBe(`${failed?.message.thread}.1`);
  });

  test('is not reported while it is retried, only when all attempts are used up', async () => {
    const { world, box } = await open(
      job('score', { schedule: hourly, retry: 'attempts: 3, delay: 5m, backoff: constant' }),
    );
    world.platform.behave = () => 'fail';
    await world.pass(seven + 8 * minute);
    expect(box.arrived).toHaveLength(0);
    await world.pass(seven + 16 * minute);
    expect(box.titles()).toEqual(['FAILED score']);
  });

  test('costs no request while all goes well, and one read a run until what was open is known to be over', async () => {
    const { world } = await open(job('score', { schedule: hourly }));
    const calls: string[] = [];
    const { incidents, outbox, silences } = world.store;
    for (const [name, part] of Object.entries({ incidents, outbox, silences })) {
      for (const [method, found] of Object.entries(part)) {
        Object.assign(part, {
          [method]: (...args: unknown[]) => {
            calls.push(`${name}.${method}`);
            return (found as (...args: unknown[]) => unknown)(...args);
          },
        });
      }
    }
    await world.pass(seven + minute);
    expect(await world.states('score')).toEqual(['succeeded']);
    // Those are of the ticks.
    expect(new Set(calls)).toEqual(new Set(['incidents.open', 'outbox.waiting']));

    const read = async (until: number) => {
      calls.length = 0;
      await world.pass(until);
      return calls.filter((call) => call === 'incidents.openOf').length;
    };
    world.platform.behave = () => 'fail';
    expect(await read(seven + hour + minute)).toBe(1);
    world.platform.behave = () => 'succeed';
    expect(await read(seven + 2 * hour + minute)).toBe(1);
    expect((await allIncidents(world.store, [])).map(({ state }) => state)).toEqual(['resolved']);
    expect(await read(seven + 3 * hour + minute)).toBe(0);
  });

  test('is over as it is opened when the run that followed has ended meanwhile', async () => {
    const { world } = await open(job('score', { schedule: hourly }));
    const { insert } = world.store.incidents;
    const about = { job: 'score', cause: 'failed', tier: 'standard', text: 'no' } as const;
    await world.pass(seven + minute);
    await record(world.store, { ...about, run: 'x', at: seven - minute }, seven + minute);
    expect((await allIncidents(world.store, [])).map(({ state }) => state)).toEqual(['resolved']);
    // The success ends between the mark of the job and the incident: it has seen the mark, and finds the incident.
    Object.assign(world.store.incidents, {
      insert: async (incident: Incident) => {
        const written = await insert(incident);
        await world.pass(seven + hour + minute);
        return written;
      },
    });
    await record(world.store, { ...about, cause: 'lost', run: 'y', at: seven + 2 * minute }, seven + 3 * minute);
    expect((await allIncidents(world.store, [])).every(({ state }) => state === 'resolved')).toBe(true);
  });
});

describe('clocks', () => {
  test('a run that does not start is reported while it waits, and once', async () => {
    const other = job('other', { schedule: '{ cron: "59 6 * * *", timeZone: UTC }', run: 'timeout: 5h' });
    const { world, box } = await open(job('score', { schedule: hourly }), other);
    world.platform.behave = () => 'run';
    world.parts.limit = 1;
    await world.pass(seven + 30 * minute);
    expect(box.titles()).toEqual(['LATE score']);
    expect((box.arrived[0]?.at ?? 0) - seven).toBeLessThanOrEqual(10 * minute);
  });

  test('a run past its end is reported while it runs, and closed by the next that is in time', async () => {
    const schedule = '{ cron: "0 * * * *", timeZone: UTC, mustFinishBy: "07:30" }';
    const { world, box } = await open(job('score', { schedule }));
    world.platform.behave = () => 'run';
    await world.pass(seven + 35 * minute);
    expect(box.titles()).toEqual(['OVERDUE score']);
    const [running] = world.platform.running();
    if (running) await world.platform.end(running);
    await world.pass(seven + 40 * minute);
    expect(box.titles()).toEqual(['OVERDUE score']);
    world.platform.behave = () => 'succeed';
    await world.pass(seven + hour + 3 * minute);
    expect(box.titles()).toEqual(['OVERDUE score', 'RECOVERED score']);
  });

  test('a run that takes three times as long as usual is a warning while it runs', async () => {
    const { world, box } = await open(job('score', { schedule: hourly }));
    world.platform.behave = () => 'run';
    for (let at = 0; at < 6; at += 1) {
      await world.pass(seven + at * hour + 5 * minute);
      for (const one of world.platform.running()) await world.platform.end(one);
    }
    await world.pass(seven + 6 * hour + 12 * minute);
    expect(box.arrived).toHaveLength(0);
    await world.pass(seven + 6 * hour + 20 * minute);
    expect(box.titles()).toEqual(['SLOW score']);
    expect(box.arrived[0]?.message.severity).toBe('warning');
    for (const one of world.platform.running()) await world.platform.end(one);
    await world.pass(seven + 6 * hour + 25 * minute);
    expect(box.titles()).toEqual(['SLOW score', 'RECOVERED score']);
  });

  test('a run that is over too soon is reported', async () => {
    const { world, box } = await open(job('score', { schedule: hourly, run: 'mustRunAtLeast: 1m' }));
    await world.pass(seven + 3 * minute);
    expect(box.titles()).toEqual(['TOO SHORT score']);
  });

  test('a metric outside its limits is reported by its name', async () => {
    const { world, box } = await open(job('score', { schedule: hourly, more: 'metrics: { rows: { min: 1 } }' }));
    await world.pass(seven + 3 * minute);
    expect(box.titles()).toEqual(['OUT OF LIMITS score (rows)']);
    expect(messageText(box.arrived[0]?.message ?? ({} as never))).toContain('metric rows is missing');
  });
});

describe('who is asked to be quiet', () => {
  test('a silence holds everything back, and what is still wrong at its end is reported then', async () => {
    const { world, box } = await open(job('score', { schedule: hourly }), job('pull', { schedule: hourly }));
    const silence = { id: 's1', from: seven - hour, until: seven + 90 * minute, by: 'dana', why: 'CRM is moved' };
    await world.store.silences.add({ ...silence, scope: { kind: 'job', name: 'score' } });
    world.platform.behave = () => 'fail';
    await world.pass(seven + 80 * minute);
    expect(box.titles()).toEqual(['FAILED pull']);
    await world.pass(seven + 95 * minute);
    expect(box.titles()).toEqual(['FAILED pull', 'FAILED score']);
  });

  test('what was over before its end was never heard of', async () => {
    const { world, box } = await open(job('score', { schedule: hourly }));
    const silence = { id: 's1', from: seven - hour, until: seven + 90 * minute, by: 'dana', why: '' };
    await world.store.silences.add({ ...silence, scope: { kind: 'tag', name: 'department:Sales' } });
    world.platform.behave = ({ scheduledFor }) => (Date.parse(scheduledFor) === seven ? 'fail' : 'succeed');
    await world.pass(seven + 4 * hour);
    expect(box.arrived).toHaveLength(0);
  });

  test('jobs in development raise nothing', async () => {
    const { world, box } = await open(job('score', { schedule: hourly, more: 'status: development' }));
    world.platform.behave = () => 'fail';
    await world.pass(seven + 2 * hour);
    expect(box.arrived).toHaveLength(0);
    expect(await allIncidents(world.store, ['score'])).toEqual([]);
  });
});

test('two hosts that tick at once send each message once', async () => {
  const { world, box } = await open(job('score', { schedule: everyMinute }), job('pull', { schedule: everyMinute }));
  const other = pipeline(world.host({ person: 'other', alerts: box.alerts }));
  world.platform.behave = () => 'fail';
  for (let at = 0; at < 10; at += 1) {
    await world.pass(seven + at * minute);
    await Promise.all([world.work.tick(world.now), other.tick(world.now)]);
  }
  expect(box.titles().toSorted()).toEqual(['FAILED pull', 'FAILED score']);
  expect((await allLetters(world.store)).every(({ state }) => state === 'accepted')).toBe(true);
});

test('a run that is followed up again after the next has succeeded does not bring its incident back', async () => {
  const { world, box } = await open(job('score', { schedule: hourly }));
  world.platform.behave = ({ scheduledFor }) => (Date.parse(scheduledFor) === seven ? 'fail' : 'succeed');
  await world.pass(seven + 2 * hour);
  const [failed] = await world.rows('score').then((rows) => rows.filter(({ state }) => state === 'failed'));
  await world.store.active.insert({ job: 'score', run: failed?.id ?? '', checkAfter: 0, since: 0 });
  await world.pass(seven + 2 * hour + 5 * minute);
  expect(box.titles()).toEqual(['FAILED score', 'RECOVERED score']);
});
