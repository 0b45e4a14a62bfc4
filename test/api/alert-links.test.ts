import { describe, expect, test } from 'vitest';
import { alertLinks } from '../../shared/alerts/links.ts';
import type { Message } from '../../shared/alerts/message.ts';
import { api } from '../../shared/api/api.ts';
import { day, hour, minute } from '../../shared/instant.ts';
import { Mailbox } from '../support/alerts/world.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const base = 'https://lamp.example';
const noCaller = async () => {
  throw new Error('the pages behind links ask no one who they are');
};

/** A job that has failed, and the alert that was sent. */
async function alerted() {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  const box = new Mailbox(() => world.now);
  box.alerts.links = alertLinks(base, () => world.store.keys('links'));
  Object.assign(world.parts, { alerts: box.alerts });
  world.platform.behave = () => 'fail';
  await world.pass(seven + 3 * minute);
  const message = box.arrived[0]?.message as Message;
  const app = api(world.parts, () => world.now, noCaller);
  const url = (label: string) => message.links.find((link) => link.label === label)?.url ?? '';
  const press = (address: string, act: string, headers: Record<string, string> = {}) =>
    app.request(address, {
      method: 'POST',
      body: new URLSearchParams({ do: act }),
      headers: { origin: base, ...headers },
    });
  const incident = async () => {
    for await (const { value } of world.store.incidents.open()) return value;
    return undefined;
  };
  return { world, box, app, url, press, incident };
}

describe('a link of an alert', () => {
  test('only shows a page, the one that opens it and however often: mail scanners follow links', async () => {
    const { world, app, url, incident } = await alerted();
    const before = (await world.rows('score')).length;
    for (const label of ['Open', 'Acknowledge', 'Rerun']) {
      for (const method of ['GET', 'HEAD', 'GET']) {
        const answer = await app.request(url(label), { method });
        expect(answer.status).toBe(200);
      }
    }
    expect((await incident())?.state).toBe('open');
    expect(await world.rows('score')).toHaveLength(before);
    const text = await (await app.request(url('Acknowledge'))).text();
    expect(text).toContain('FAILED score');
    expect(text).toContain('<form method="post"');
    // What someone else has in the way of scripts finds no way in, and the address goes nowhere.
    const { headers } = await app.request(url('Open'));
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('referrer-policy')).toBe('same-origin');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('acknowledges when its button is pressed, once, and the audit says so', async () => {
    const { world, url, press, incident } = await alerted();
    const answer = await press(url('Acknowledge'), 'acknowledge');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('escalated no further');
    expect((await incident())?.state).toBe('acknowledged');
    expect((await press(url('Acknowledge'), 'acknowledge')).status).toBe(409);
    const events = [];
    for await (const event of world.store.events.list('score')) events.push(event);
    expect(events[0]).toMatchObject({
      kind: 'acknowledged',
      by: expect.stringMatching(/^link of an alert for (ops|.+@.+)$/),
      why: expect.stringContaining('score.failed.'),
    });
  });

  test('repeats the run, once, however often and on however many hosts it is pressed', async () => {
    const { world, url, press } = await alerted();
    const answers = await Promise.all([1, 2, 3].map(() => press(url('Rerun'), 'rerun')));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    expect((await world.rows('score')).filter(({ trigger }) => trigger === 'rerun')).toHaveLength(1);
  });

  test('does not work when it was changed, made by another installation, or is older than three days', async () => {
    const { world, app, url, press, incident } = await alerted();
    const good = url('Acknowledge');
    const [payload = '', mac = ''] = (new URL(good).pathname.split('/').at(-1) ?? '').split('.');
    const changed = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('"score"', '"other"'));
    const wrong = [
      `${changed.toString('base64url')}.${mac}`,
      `${payload}.${'A'.repeat(mac.length)}`,
      `${payload}.`,
      payload,
      '.',
      'x',
    ];
    for (const token of wrong) expect((await press(`${base}/api/alerts/${token}`, 'acknowledge')).status).toBe(404);
    const others = alertLinks(base, async () => Buffer.alloc(32));
    const found = await incident();
    const [foreign] = found ? await others.of(found, 'elsewhere', world.now) : [];
    expect((await press(foreign?.url ?? '', 'acknowledge')).status).toBe(404);
    world.now += 3 * day + hour;
    expect((await press(good, 'acknowledge')).status).toBe(404);
    expect((await app.request(good)).status).toBe(404);
    expect((await incident())?.state).toBe('open');
  });

  test('is used up whatever is added to it', async () => {
    const { world, url, press } = await alerted();
    const { origin, pathname } = new URL(url('Rerun'));
    expect((await press(`${origin}${pathname}`, 'rerun')).status).toBe(200);
    for (const more of ['.', '.x', '..', '.1.2'])
      expect((await press(`${origin}${pathname}${more}`, 'rerun')).status).toBe(404);
    expect((await world.rows('score')).filter(({ trigger }) => trigger === 'rerun')).toHaveLength(1);
  });

  test('does not repeat a run that is under way or whose job is gone, and is not used up by that', async () => {
    const { world, url, press } = await alerted();
    const [row] = await world.rows('score');
    const found = row && (await world.store.runs.get('score', row.id));
    const over = found?.value;
    const running = found && over && (await world.store.runs.replace({ ...over, state: 'running' }, found.etag));
    const early = await press(url('Rerun'), 'rerun');
    expect([early.status, await early.text()]).toEqual([409, expect.stringContaining('is running')]);
    if (running && over) await world.store.runs.replace(over, running.etag);
    const { catalog } = world.parts;
    Object.assign(world.parts, { catalog: () => new Map() });
    expect((await press(url('Rerun'), 'rerun')).status).toBe(409);
    Object.assign(world.parts, { catalog });
    expect((await press(url('Rerun'), 'rerun')).status).toBe(200);
  });

  test('leaves no address in the log when the store is down: it can still be pressed', async () => {
    const { world, url, press } = await alerted();
    const said: string[] = [];
    Object.assign(world.parts, { emit: (event: object) => said.push(JSON.stringify(event)) });
    Object.assign(world.store.usedLinks, {
      use: async () => {
        throw new Error('the store is down');
      },
    });
    const answer = await press(url('Rerun'), 'rerun');
    expect(answer.status).toBe(500);
    const token = new URL(url('Rerun')).pathname.split('/').at(-1) ?? '';
    expect(said.join()).toContain('answering POST /api/alerts/…');
    expect(said.join() + (await answer.text())).not.toContain(token);
  });

  test('does nothing without a known button, with a large body, or from another page', async () => {
    const { app, url, press, incident } = await alerted();
    expect((await press(url('Acknowledge'), 'delete')).status).toBe(400);
    expect((await app.request(url('Open'), { method: 'POST' })).status).toBe(400);
    expect((await press(url('Open'), 'x'.repeat(17_000))).status).toBe(413);
    expect((await press(url('Open'), 'acknowledge', { origin: 'https://evil.example' })).status).toBe(403);
    expect((await incident())?.state).toBe('open');
  });

  test('of an incident that is over says so, and does not touch the next one of the same cause', async () => {
    const { world, app, url, press, incident } = await alerted();
    world.platform.behave = () => 'succeed';
    await world.pass(seven + 2 * hour);
    await world.pass(seven + 27 * hour);
    world.platform.behave = () => 'fail';
    await world.pass(seven + 28 * hour + 3 * minute);
    expect(await (await app.request(url('Open'))).text()).toContain('over and in the history');
    const answer = await press(url('Acknowledge'), 'acknowledge');
    expect(await answer.text()).toContain('nothing to acknowledge');
    expect((await incident())?.state).toBe('open');
  });

  test('shows what a job wrote as text', async () => {
    const { world, app, url, incident } = await alerted();
    const found = await incident();
    const versioned = found && (await world.store.incidents.get(found));
    if (versioned)
      await world.store.incidents.replace({ ...versioned.value, text: '<script>alert(1)</script>' }, versioned.etag);
    const text = await (await app.request(url('Open'))).text();
    expect(text).not.toContain('<script>');
    expect(text).toContain('&lt;script&gt;');
  });
});
