import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { type Channel, ChannelError } from '../../shared/alerts/channels/channel.ts';
import { azureEmail } from '../../shared/alerts/channels/email-azure.ts';
import { slack } from '../../shared/alerts/channels/slack.ts';
import { teams, teamsPayload } from '../../shared/alerts/channels/teams.ts';
import { webhook } from '../../shared/alerts/channels/webhook.ts';
import { type Answer, answers, openReceiver, type Receiver } from '../support/alerts/receiver.ts';
import { rudeMessage } from '../support/alerts/story.ts';
import { seven } from '../support/pipeline/cast.ts';

/** Long enough for a machine under load; where a test waits for its end it is short. */
const patient = 20_000;
const brief = 400;
const to = ['ops@contoso.com'];
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

function over(kind: string, receiver: Receiver, limitMs = patient): Channel {
  const guard = { hosts: [], privateHosts: [receiver.host] };
  const options = { name: 'ops', address: async () => receiver.url, guard, limitMs };
  switch (kind) {
    case 'teams':
      return teams(options);
    case 'slack':
      return slack(options);
    case 'webhook':
      return webhook({ ...options, signWith: async () => 'k3y', now: () => seven });
    default: {
      const credential = { getToken: async () => ({ token: 't0ken', expiresOnTimestamp: seven }) };
      const endpoint = `http://${receiver.host}`;
      return azureEmail({ name: 'ops', endpoint, from: 'lamp@contoso.com', to: [], credential, guard, limitMs });
    }
  }
}

async function failure(sending: Promise<void>): Promise<ChannelError> {
  const error = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ChannelError);
  const { message } = error as ChannelError;
  for (const secret of ['s3cret', 't0ken', 'k3y', 'hunter2']) expect(message).not.toContain(secret);
  return error as ChannelError;
}

describe.each(['teams', 'slack', 'webhook', 'azure-email'])('%s', (kind) => {
  const meet = async (answer: Answer, limitMs = patient) => {
    const receiver = await openReceiver(answer);
    open.push(receiver);
    return { receiver, channel: over(kind, receiver, limitMs) };
  };

  test.each([200, 202, 204])('has delivered when the answer is %i, and says which message it was', async (status) => {
    const { receiver, channel } = await meet(answers.status(status));
    await channel.send(rudeMessage(), to);
    expect(receiver.received).toHaveLength(1);
    expect(JSON.stringify(receiver.received[0])).toContain('score.failed.1.1');
    expect(() => JSON.parse(receiver.received[0]?.body ?? '')).not.toThrow();
  });

  test.each([400, 401, 403, 404, 410, 413])('cannot help by trying again after %i', async (status) => {
    const { receiver, channel } = await meet(answers.status(status, {}, 'no, because of this'));
    const error = await failure(channel.send(rudeMessage(), to));
    expect(error.permanent).toBe(true);
    expect(error.message).toContain(`${status}`);
    expect(error.message).toContain('because of this');
    expect(receiver.received).toHaveLength(1);
  });

  test.each([408, 429, 500, 502, 503])('may try again after %i', async (status) => {
    const { channel } = await meet(answers.status(status));
    expect((await failure(channel.send(rudeMessage(), to))).permanent).toBe(false);
  });

  test('passes on how long it is asked to wait, in seconds or as a date', async () => {
    const { receiver, channel } = await meet(answers.status(429, { 'retry-after': '90' }));
    expect((await failure(channel.send(rudeMessage(), to))).retryAfterMs).toBe(90_000);
    const date = 'Fri, 20 Nov 2026 07:00:00 GMT';
    receiver.answer = answers.status(503, { date, 'retry-after': 'Fri, 20 Nov 2026 07:02:00 GMT' });
    expect((await failure(channel.send(rudeMessage(), to))).retryAfterMs).toBe(120_000);
    receiver.answer = answers.status(503, { 'retry-after': 'soon' });
    expect((await failure(channel.send(rudeMessage(), to))).retryAfterMs).toBeNull();
  });

  test('does not follow a redirect, nor send anything there', async () => {
    const elsewhere = await openReceiver();
    open.push(elsewhere);
    const { channel } = await meet(answers.status(307, { location: elsewhere.url }));
    expect((await failure(channel.send(rudeMessage(), to))).permanent).toBe(true);
    expect(elsewhere.received).toHaveLength(0);
  });

  test.each([
    ['silence', answers.silence],
    ['an answer whose body never ends', answers.endlessBody],
    ['a closed connection', answers.hangUp],
  ])('gives up in time, and may try again, after %s', async (_what, answer) => {
    const { channel } = await meet(answer, brief);
    const began = performance.now();
    expect((await failure(channel.send(rudeMessage(), to))).permanent).toBe(false);
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  test('nothing listens there: it may try again', async () => {
    const { receiver, channel } = await meet(answers.status(200));
    await receiver.close();
    expect((await failure(channel.send(rudeMessage(), to))).permanent).toBe(false);
  });

  test('an answer that repeats what it was asked gives neither address nor token away', async () => {
    const { channel } = await meet((response, { path, headers }) =>
      response.writeHead(400).end(`no such flow: ${path} for ${headers.host}${path}, ${headers.authorization}`),
    );
    await failure(channel.send(rudeMessage(), to));
  });

  test('nor does one that repeats a part of it, or writes it in another way', async () => {
    const { channel } = await meet((response, { path, headers }) => {
      const key = `${path.split(/[/=?&]/).find((one) => one.includes('s3cret'))}`;
      const token = headers.authorization?.replace('Bearer ', '');
      response.writeHead(400).end(JSON.stringify({ key, token, path }).replaceAll('/', '\\/'));
    });
    await failure(channel.send(rudeMessage(), to));
  });

  test('a megabyte of error text, and a body of many megabytes as answer, are both cut', async () => {
    const { channel } = await meet((response) => {
      response.writeHead(400);
      for (let at = 0; at < 64; at += 1) response.write('x'.repeat(65_536));
      response.end();
    });
    expect((await failure(channel.send(rudeMessage(), to))).message.length).toBeLessThan(400);
  });

  test('shows where it sends without showing the secret', async () => {
    const { channel, receiver } = await meet(answers.status(200));
    const place = await channel.place();
    expect(place).toContain(receiver.host);
    expect(place).not.toMatch(/s3cret|sig=|workflows/);
    if (kind !== 'azure-email') expect(place.endsWith('/…ture')).toBe(true);
  });
});

test('the generic webhook is signed over time and body', async () => {
  const receiver = await openReceiver();
  open.push(receiver);
  await over('webhook', receiver).send(rudeMessage(), []);
  const [{ headers, body } = { headers: {} as IncomingHttpHeaders, body: '' }] = receiver.received;
  const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-lamplighter-signature'])) ?? [];
  expect(Number(seconds)).toBe(seven / 1_000);
  expect(mac).toBe(createHmac('sha256', 'k3y').update(`${seconds}.${body}`).digest('hex'));
  expect(JSON.parse(body)).toMatchObject({ version: 1, key: 'score.failed.1.1', at: '2026-11-20T07:00:00.000Z' });
});

test('the same message to Azure has the same operation id, another has another', async () => {
  const receiver = await openReceiver();
  open.push(receiver);
  const channel = over('azure-email', receiver);
  for (const key of ['a.1', 'a.1', 'a.2']) await channel.send(rudeMessage({ key }), to);
  const ids = receiver.received.map(({ headers }) => headers['operation-id']);
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(ids[1]).toBe(ids[0]);
  expect(ids[2]).not.toBe(ids[0]);
});

test('a card that would be too large for Teams goes without its picture before it loses lines of its log', () => {
  const image = { png: 'A'.repeat(26_000), words: 'usual 5 to 7, now 9' };
  const [plain, large, small] = [
    rudeMessage(),
    { ...rudeMessage(), image },
    { ...rudeMessage(), image: { ...image, png: 'AAAA' } },
  ].map((message) => JSON.stringify(teamsPayload(message)));
  expect(large).toBe(plain);
  expect(small).toContain('data:image/png;base64,AAAA');
});

test('e-mail by Azure carries a picture, and goes without it rather than not at all', async () => {
  const receiver = await openReceiver();
  open.push(receiver);
  const channel = over('azure-email', receiver);
  await channel.send({ ...rudeMessage(), picture: '<svg/>' }, to);
  await channel.send(rudeMessage(), to);
  const [first, second] = receiver.received.map(({ body }) => JSON.parse(body));
  expect(first.attachments).toEqual([
    { name: 'drift.svg', contentType: 'image/svg+xml', contentInBase64: Buffer.from('<svg/>').toString('base64') },
  ]);
  expect(first.headers['x-ms-acsemail-suppress-invalid-attachment']).toBe('true');
  expect(second).not.toHaveProperty('attachments');
});

test('an identity that never gets a token does not hang the message', async () => {
  const credential = { getToken: () => new Promise<never>(() => {}) };
  const guard = { hosts: ['*.communication.azure.com'], privateHosts: [] };
  const endpoint = 'https://lamp.europe.communication.azure.com';
  const channel = azureEmail({ name: 'ops', endpoint, from: 'a@contoso.com', to, credential, guard, limitMs: 50 });
  expect(await failure(channel.send(rudeMessage(), []))).toMatchObject({ permanent: false });
});
