import { describe, expect, test } from 'vitest';
import { serviceGroup } from '../../shared/alerts/clocks.ts';
import { messageText } from '../../shared/alerts/message.ts';
import { report } from '../../shared/alerts/report.ts';
import { record } from '../../shared/alerts/see.ts';
import { day, hour, minute } from '../../shared/instant.ts';
import type { Job } from '../../shared/job/job.ts';
import type { Letter } from '../../shared/store/outbox.ts';
import { allLetters, withMailbox as open } from '../support/alerts/world.ts';
import { everyMinute, hourly, job, seven } from '../support/pipeline/cast.ts';

/** A job of the cast says its tier in its head already. */
const ofTier = (one: Job, tier: Job['tier']): Job => ({ ...one, tier });

describe('one trouble', () => {
  test('of a thousand jobs with long names is one message, and each of them counts as reported', async () => {
    const { world, box } = await open();
    for (let at = 0; at < 1_000; at += 1) {
      const name = `${'a'.repeat(43)}-${String(at).padStart(4, '0')}`;
      const about = { job: name, cause: 'missed', tier: 'standard', text: 'the scheduler was down' } as const;
      await record(world.store, { ...about, run: null, group: serviceGroup }, seven);
    }
    await report(world.parts, box.alerts, seven + 10 * minute);
    const [letter, ...more] = await allLetters(world.store);
    expect([letter?.reports.length, more]).toEqual([1_000, []]);
    await report(world.parts, box.alerts, seven + 11 * minute);
    expect(await allLetters(world.store)).toHaveLength(1);
  });

  test('that cannot be put into a message keeps no other back', async () => {
    const { world, box } = await open();
    for (const name of ['a', 'b', 'c']) {
      const about = { job: name, cause: 'missed', tier: 'standard', text: 'no place was free' } as const;
      await record(world.store, { ...about, run: null }, seven);
    }
    const { put } = world.store.outbox;
    Object.assign(world.store.outbox, {
      put: async (letter: Letter) => {
        if (letter.key.startsWith('a.')) throw new RangeError('message takes too many characters');
        return put(letter);
      },
    });
    await report(world.parts, box.alerts, seven + 10 * minute);
    expect((await allLetters(world.store)).map(({ key }) => key.split('.')[0])).toEqual(['b', 'c']);
  });
});

describe('grouping', () => {
  const fifty = Array.from({ length: 50 }, (_, at) => job(`score-${at}`, { schedule: hourly }));

  test('50 jobs that fail on one host at once are one message, and so is their recovery', async () => {
    const { world, box } = await open(...fifty);
    world.platform.behave = () => 'fail';
    world.platform.errorClass = 'network';
    world.platform.failure = { host: 'crm.contoso.com' };
    await world.pass(seven + 5 * minute);
    expect(box.titles()).toEqual(['FAILED 50 jobs']);
    const text = messageText(box.arrived[0]?.message ?? ({} as never));
    expect(text).toContain('score-0: failed');
    expect(text).toContain('and 30 more');
    world.platform.behave = () => 'succeed';
    await world.pass(seven + hour + 5 * minute);
    expect(box.titles()).toEqual(['FAILED 50 jobs', 'RECOVERED 50 jobs']);
  });

  test('their reminders come together as well', async () => {
    const { world, box } = await open(...fifty.map((one) => ofTier(one, 'critical')));
    world.platform.behave = () => 'fail';
    world.platform.failure = { fingerprint: 'abc' };
    await world.pass(seven + 8 * hour);
    const [ops, mail] = ['ops', 'mail'].map((name) => box.arrived.filter(({ channel }) => channel === name));
    expect(ops?.map(({ message }) => message.kind)).toEqual(['opened', 'escalated', 'escalated', 'reminder']);
    // From the last step of the escalation on the fallback hears of it as well.
    expect(mail?.map(({ message }) => message.kind)).toEqual(['escalated', 'reminder']);
    expect(box.arrived.every(({ message }) => message.title.endsWith('FAILED 50 jobs'))).toBe(true);
  });

  test('failures of different causes are not thrown together', async () => {
    const { world, box } = await open(...fifty.slice(0, 3));
    world.platform.behave = () => 'fail';
    await world.pass(seven + 5 * minute);
    expect(box.titles().toSorted()).toEqual(['FAILED score-0', 'FAILED score-1', 'FAILED score-2']);
  });

  test('jobs that join a group later are reported together', async () => {
    const { world, box } = await open(...fifty.slice(0, 10));
    world.platform.errorClass = 'network';
    world.platform.failure = { host: 'crm.contoso.com' };
    world.platform.behave = ({ job: name }) => (name === 'score-0' ? 'fail' : 'run');
    await world.pass(seven + 2 * minute);
    for (const one of world.platform.running()) {
      await world.pass(world.now + 15_000);
      await world.platform.end(one, 'failed');
    }
    await world.pass(seven + 15 * minute);
    expect(box.titles()).toEqual(['FAILED score-0', 'FAILED 9 jobs']);
  });
});

describe('an outage of the service', () => {
  test('of three hours over three slots: one catch-up run, two missed rows, one alert that says so', async () => {
    const { world, box } = await open(job('score', { schedule: '{ cron: "30 * * * *", timeZone: UTC }' }));
    await world.pass(seven + 10 * minute);
    world.now = seven + 3 * hour + 10 * minute;
    await world.work.tick(world.now);
    await world.pass(world.now + 5 * minute);
    expect((await world.states('score')).slice(-3)).toEqual(['missed outage', 'missed outage', 'succeeded']);
    expect(box.arrived).toHaveLength(1);
    const text = messageText(box.arrived[0]?.message ?? ({} as never));
    expect(text).toMatch(/^SCHEDULER WAS DOWN/);
    expect(text).toContain('no tick for 3 h');
    expect(text).toContain('score (2 missed, 1 late)');
    await world.pass(world.now + 2 * day);
    expect(box.arrived).toHaveLength(1);
  });

  test('of a week, of a job of every minute: bounded work, one alert', async () => {
    const { world, box } = await open(job('score', { schedule: everyMinute }));
    await world.pass(seven);
    let calls = 0;
    const { replace, insert } = world.store.incidents;
    Object.assign(world.store.incidents, {
      replace: (...args: Parameters<typeof replace>) => {
        calls += 1;
        return replace(...args);
      },
      insert: (...args: Parameters<typeof insert>) => {
        calls += 1;
        return insert(...args);
      },
    });
    world.now = seven + 7 * day;
    await world.work.tick(world.now);
    await world.pass(world.now + 5 * minute);
    expect(box.arrived).toHaveLength(1);
    expect(messageText(box.arrived[0]?.message ?? ({} as never))).toMatch(/score \(10076 missed, 1 late\)/);
    expect(calls).toBeLessThan(20);
  });

  test('in which no slot was expected is no matter for people', async () => {
    const { world, box } = await open(job('score', { schedule: '{ cron: "0 7 * * *", timeZone: UTC }' }));
    await world.pass(seven + 10 * minute);
    world.now = seven + 12 * hour;
    await world.work.tick(world.now);
    await world.pass(world.now + 5 * minute);
    expect(box.arrived).toHaveLength(0);
  });
});
