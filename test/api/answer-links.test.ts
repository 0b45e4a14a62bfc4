import { describe, expect, test } from 'vitest';
import { alertLinks } from '../../shared/alerts/links.ts';
import type { Message } from '../../shared/alerts/message.ts';
import { api } from '../../shared/api/api.ts';
import { day, minute } from '../../shared/instant.ts';
import { seeDrift } from '../../shared/pipeline/drift.ts';
import { newRun } from '../../shared/run/run.ts';
import { Mailbox } from '../support/alerts/world.ts';
import { series } from '../support/drift/families.ts';
import { job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const base = 'https://lamp.example';
const usual = 40;
const noise = (n: number, seed: string) => series('normal', seed, n).values as number[];
const values = [...noise(usual, 'before'), ...noise(12, 'after').map((value) => value + 0.08)];

/** A job whose results have moved, and the alert that was sent about it. */
async function drifted() {
  const world = await World.inMemory(
    job('score', { schedule: '{ cron: "0 7 * * *", timeZone: Europe/London }', more: 'status: production' }),
  );
  const box = new Mailbox(() => world.now);
  box.alerts.links = alertLinks(base, () => world.store.keys('links'));
  Object.assign(world.parts, { alerts: box.alerts });
  for (const [i, value] of values.entries()) {
    const slot = seven + i * day;
    const times = { startedAt: slot, endedAt: slot + 1_000 };
    const run = { ...newRun('score', slot, 'schedule', slot), state: 'succeeded' as const, ...times };
    await world.store.runs.insert(run);
    await seeDrift(world.parts, [{ ...run, metrics: { mean_score: value } }], slot + 1_000, async () => undefined);
  }
  world.now = seven + values.length * day;
  await world.pass(world.now + 3 * minute);
  const message = box.arrived.find((one) => one.message.title.startsWith('UNUSUAL'))?.message as Message;
  const app = api(
    world.parts,
    () => world.now,
    async () => {
      throw new Error('the pages behind links ask no one who they are');
    },
  );
  const url = message.links.find(({ label }) => label === 'Answer')?.url ?? '';
  const press = (what: string, why: string | undefined) =>
    app.request(url, {
      method: 'POST',
      body: new URLSearchParams({ do: what, ...(why !== undefined && { why }) }),
      headers: { origin: base },
    });
  const finding = async () => (await world.store.drift.findings('score', 1))[0];
  return { world, app, url, message, press, finding };
}

describe('the link "Answer" of an alert about drift', () => {
  test('stands in the place of "Rerun", and asks for a word before it does anything', async () => {
    const { app, url, message, finding } = await drifted();
    expect(message.links.map(({ label }) => label)).toEqual(['Open', 'Acknowledge', 'Answer']);
    const page = await app.request(url);
    const text = await page.text();
    expect(page.status).toBe(200);
    for (const button of ['expected', 'once', 'real']) expect(text).toContain(`name="do" value="${button}"`);
    expect(text).toMatch(/<label for="why">[\s\S]*<textarea id="why" name="why"[^>]* required>/);
    expect((await finding())?.state).toBe('open');
  });

  test.each([
    ['expected', 'expected', 'resolved'],
    ['once', 'expected-once', 'resolved'],
    ['real', 'real', 'open'],
  ])('%s: the finding is answered with who and why, and the alert is over or goes on', async (what, state, incident) => {
    const { world, press, finding } = await drifted();
    const id = (await finding())?.id ?? '';
    const answer = await press(what, '  new price list since Monday ');
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('<h1>Done</h1>')]);
    expect(await finding()).toMatchObject({ id, state, answered: { why: 'new price list since Monday' } });
    expect((await finding())?.answered?.by).toMatch(/^link of an alert for /);
    const row = await world.store.incidents.get({ job: 'score', cause: 'drift', subject: id });
    expect(row?.value.state ?? 'resolved').toBe(incident);
    const events = [];
    for await (const event of world.store.events.list('score')) events.push(event);
    expect(events.find(({ kind }) => kind === 'drift-answered')).toMatchObject({ why: 'new price list since Monday' });
  });

  test('does nothing without a word, with one that is too long, or with an unknown button; and can be pressed then', async () => {
    const { press, finding } = await drifted();
    for (const why of [undefined, '', '   ', 'x'.repeat(1_001)]) {
      const answer = await press('expected', why);
      expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('Expected why')]);
    }
    expect((await press('expected', '汉'.repeat(1_001))).status).toBe(400);
    const whole = await press('expected', 'x'.repeat(17_000));
    expect([whole.status, await whole.text()]).toEqual([413, 'expected at most 16 KB']);
    expect((await press('answer', 'why')).status).toBe(400);
    expect((await finding())?.state).toBe('open');
    expect((await press('expected', 'so be it')).status).toBe(200);
  });

  test.each([
    ['Chinese, of which each character takes nine in the request', '价'.repeat(1_000)],
    ['lines, whose ends a browser sends as two characters each', `${'a'.repeat(9)}\n`.repeat(100).trim()],
    ['nothing but lines', `a${'\n'.repeat(998)}b`],
  ])('takes all the characters that its field takes: %s', async (_, why) => {
    const { press, finding } = await drifted();
    // As forms are sent (HTML Standard, 4.10.21.8).
    expect((await press('expected', why.replaceAll('\n', '\r\n'))).status).toBe(200);
    expect((await finding())?.answered?.why).toBe(why);
  });

  test('answers once, however often and on however many hosts it is pressed; what is answered stays so', async () => {
    const { press, finding } = await drifted();
    const answers = await Promise.all(['expected', 'expected', 'once'].map((what) => press(what, 'we know')));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    expect((await press('once', 'again')).status).toBe(409);
    expect((await finding())?.answered?.why).toBe('we know');
  });
});
