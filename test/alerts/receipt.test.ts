import { describe, expect, test } from 'vitest';
import { messageText } from '../../shared/alerts/message.ts';
import { digestMessage, receiptText, weekBefore } from '../../shared/alerts/receipt.ts';
import { alertUpkeep } from '../../shared/alerts/upkeep.ts';
import { usualOf } from '../../shared/alerts/usual.ts';
import { day, hour, minute } from '../../shared/instant.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { Mailbox } from '../support/alerts/world.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const score = job('score', { schedule: '{ cron: "0 7 * * *", timeZone: Europe/London }' });
const done = (at: number, tookMs: number, rows: number, more: Partial<Run> = {}) =>
  newRun('score', at, 'schedule', at, {
    state: 'succeeded',
    startedAt: at,
    endedAt: at + tookMs,
    metrics: { rows },
    ...more,
  });

describe('a receipt', () => {
  test('is one line with time, duration and figures, and says what is unusual', () => {
    const usual = usualOf([1, 2, 3, 4, 5].map((at) => done(seven - at * day, (2 + at / 5) * minute, 400 + at)));
    expect(receiptText(done(seven, 3 * minute, 402), score, usual)).toBe(
      'Ran at 2026-11-20 07:00 Europe/London, took 3 min (usual 2 min to 3 min), rows 402.',
    );
    expect(receiptText(done(seven, 3 * minute, 12), score, usual)).toContain('rows 12 (usual 401.4 to 404.6)');
    const warned = done(seven, 1_000, 1, { warnings: ['started 90 s late'] });
    expect(receiptText(warned, score, usualOf([]))).toBe(
      'Ran at 2026-11-20 07:00 Europe/London, took 1 s, rows 1. Look at: started 90 s late.',
    );
  });

  test('is sent for each good run of a job that asks for it, once, and for no other', async () => {
    const asks = job('score', { schedule: hourly, more: 'alerts: { teams: ops, receipts: each }' });
    const world = await World.inMemory(asks, job('pull', { schedule: hourly }));
    const box = new Mailbox(() => world.now);
    Object.assign(world.parts, { alerts: box.alerts });
    await world.pass(seven + hour + 2 * minute);
    expect(box.arrived.map(({ channel, message }) => `${channel} ${message.title}`)).toEqual([
      'ops DONE score',
      'ops DONE score',
    ]);
    const [first] = await world.rows('score');
    await world.store.active.insert({ job: 'score', run: first?.id ?? '', checkAfter: 0, since: 0 });
    await world.pass(world.now + 5 * minute);
    expect(box.arrived).toHaveLength(2);
  });
});

describe('a digest', () => {
  test('is of the week from Monday to Monday', () => {
    const monday = Date.UTC(2026, 10, 16);
    for (const now of [Date.UTC(2026, 10, 23), Date.UTC(2026, 10, 25, 12), Date.UTC(2026, 10, 29, 23)]) {
      expect(weekBefore(now)).toEqual({ from: monday, to: monday + 7 * day });
    }
  });

  test('counts runs by how they ended, with the range of each figure', () => {
    const runs = [1, 2, 3, 4, 5].map((at) => done(seven - at * hour, at * minute, 400 + at));
    const missed = newRun('score', seven, 'schedule', seven, { state: 'missed', slots: 3 });
    const message = digestMessage([...runs, missed], score, seven + 4 * day);
    const text = message ? messageText(message) : '';
    expect(text).toContain('Week from 2026-11-16: 5 succeeded, 3 missed.');
    expect(text).toContain('A success took 3 min (1 min to 5 min).');
    expect(text).toContain('rows: 403 (401.4 to 404.6)');
    expect(digestMessage([], score, seven)).toBeUndefined();
  });

  test('is sent once a week, however often the daily care comes', async () => {
    const asks = job('score', { schedule: hourly, more: 'alerts: { teams: sales, receipts: weekly }' });
    const world = await World.inMemory(asks);
    const box = new Mailbox(() => world.now);
    Object.assign(world.parts, { alerts: box.alerts });
    await world.pass(seven + 3 * hour);
    const weeks: string[] = [];
    for (let at = 0; at < 12; at += 1) {
      world.now += day;
      await alertUpkeep(world.parts, world.now);
      await world.pass(world.now + 2 * minute);
      for (const { message } of box.take()) if (message.kind === 'receipt') weeks.push(message.key);
    }
    expect(weeks).toEqual([`digest.score.${Date.UTC(2026, 10, 16)}`, `digest.score.${Date.UTC(2026, 10, 23)}`]);
  });
});
