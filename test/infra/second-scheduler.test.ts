import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { python } from '../support/shim/python.ts';

const program = join(import.meta.dirname, '../../infra/runtime/second_scheduler');
const token = 'eyJ0eXAi.secret.token';
const audience = '11111111-2222-3333-4444-555555555555';

interface Seen {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
}
interface Fake {
  url: string;
  seen: Seen[];
}
type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const says =
  (status: number, body = '', headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, headers).end(body);
const cuts: Answer = (response) => response.destroy();
const granted = says(200, JSON.stringify({ access_token: token, expires_on: '1', token_type: 'Bearer' }));
const ticked = says(200, '{"claimed":0}');

/** Answers the first request with the first answer, and so on; the last answer stands for all that follow. */
async function fake(...answers: Answer[]): Promise<Fake> {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
    const answer = answers[Math.min(seen.length, answers.length) - 1];
    request.resume().on('end', () => answer?.(response, request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function callsTick(identity: Fake, app: Fake, change: Record<string, string> = {}) {
  const env = {
    IDENTITY_ENDPOINT: `${identity.url}/msi/token`,
    IDENTITY_HEADER: 'header-of-this-replica',
    LAMPLIGHTER_APP_URL: app.url,
    LAMPLIGHTER_AUDIENCE: audience,
    AZURE_CLIENT_ID: 'client-of-the-second-scheduler',
    ...change,
  };
  return new Promise<{ code: number; out: string }>((resolve) => {
    // As infra/modules/second-scheduler.bicep starts it.
    execFile(python(), ['-I', '-S', program], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, out: stdout + stderr }),
    );
  });
}

describe('the second scheduler', () => {
  it('asks for a token of its identity and ticks the app with it', async () => {
    const identity = await fake(granted);
    const app = await fake(ticked);
    expect(await callsTick(identity, app)).toEqual({ code: 0, out: `second scheduler: ${app.url} has ticked\n` });

    const asked = new URL(identity.seen[0]?.path ?? '', identity.url);
    expect(asked.pathname).toBe('/msi/token');
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      'api-version': '2019-08-01',
      resource: audience,
      client_id: 'client-of-the-second-scheduler',
    });
    expect(identity.seen[0]?.headers['x-identity-header']).toBe('header-of-this-replica');
    expect(app.seen).toHaveLength(1);
    expect(app.seen[0]).toMatchObject({ method: 'POST', path: '/api/tick' });
    expect(app.seen[0]?.headers).toMatchObject({ authorization: `Bearer ${token}`, 'content-length': '0' });
  });

  it('tries once more when the app is cut off in the middle of saying why not', async () => {
    const half: Answer = (response) => {
      response.writeHead(503, { 'content-length': '100' });
      response.write('star', () => response.socket?.resetAndDestroy());
    };
    const app = await fake(half, ticked);
    expect(await callsTick(await fake(granted), app)).toMatchObject({ code: 0 });
    expect(app.seen).toHaveLength(2);
  });

  it('tries once more when the app is starting, and once more only', async () => {
    const app = await fake(says(503, 'starting'), ticked);
    expect(await callsTick(await fake(granted), app)).toMatchObject({ code: 0 });
    expect(app.seen).toHaveLength(2);

    const down = await fake(says(503, 'down'));
    const ended = await callsTick(await fake(granted), down);
    expect(ended.code).toBe(69);
    expect(ended.out).toContain('answers 503 down');
    expect(down.seen).toHaveLength(2);
  });

  it('tries once more when a connection breaks or the identity endpoint is busy', async () => {
    expect(await callsTick(await fake(says(429), granted), await fake(cuts, ticked))).toMatchObject({ code: 0 });
  });

  it('does not try again what is refused, and says by whom', async () => {
    const app = await fake(says(401, 'unauthorized'));
    expect(await callsTick(await fake(granted), app)).toEqual({
      code: 77,
      out: `second scheduler: ${app.url} answers 401 unauthorized\n`,
    });
    expect(app.seen).toHaveLength(1);

    const identity = await fake(says(400, '{"error":"invalid_resource"}'));
    const ended = await callsTick(identity, await fake(ticked));
    expect(ended).toMatchObject({ code: 77 });
    expect(ended.out).toContain('the identity endpoint answers 400 {"error":"invalid_resource"}');
    expect(identity.seen).toHaveLength(1);
  });

  it('never prints the token, nor takes it to where an answer points', async () => {
    const thief = await fake(ticked);
    const app = await fake(says(302, '', { Location: `${thief.url}/api/tick` }));
    const ended = await callsTick(await fake(granted), app);
    expect(ended.code).toBe(77);
    expect(ended.out).toContain('answers 302');
    expect(ended.out).not.toContain(token);
    expect(thief.seen).toEqual([]);
  });

  it.each([
    ['an address without encryption', { LAMPLIGHTER_APP_URL: 'http://func.example.com' }, 'expected https://'],
    ['an address of something else', { LAMPLIGHTER_APP_URL: 'file:///etc/passwd' }, 'expected https://'],
    ['no audience', { LAMPLIGHTER_AUDIENCE: '' }, 'LAMPLIGHTER_AUDIENCE is not set'],
    ['no identity in the container', { IDENTITY_ENDPOINT: '' }, 'IDENTITY_ENDPOINT is not set'],
  ])('asks for no token with %s', async (_, change, text) => {
    const identity = await fake(granted);
    const ended = await callsTick(identity, await fake(ticked), change);
    expect(ended.code).toBe(64);
    expect(ended.out).toContain(text);
    expect(identity.seen).toEqual([]);
  });

  it.each([
    ['no JSON', '<html>'],
    ['JSON without one', '{}'],
    ['JSON that is no object', '[]'],
  ])('says so when the identity endpoint gives no token but %s', async (_, body) => {
    const app = await fake(ticked);
    const ended = await callsTick(await fake(says(200, body)), app);
    expect(ended).toEqual({ code: 69, out: 'second scheduler: the identity endpoint gave no token\n' });
    expect(app.seen).toEqual([]);
  });

  it('is unavailable, and not broken, when nothing listens', async () => {
    const ended = await callsTick({ url: 'http://127.0.0.1:1', seen: [] }, await fake(ticked));
    expect(ended.code).toBe(69);
    expect(ended.out).toContain('the identity endpoint cannot be reached');
  });
});
