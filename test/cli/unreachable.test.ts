import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect } from '../../cli/connect.ts';
import { findHome } from '../../cli/home.ts';
import { call } from '../support/cli/console.ts';
import { Issuer } from '../support/cli/issuer.ts';

/** `lamp` against an app that does not answer, answers in pieces, or is older than it. */

let issuer: Issuer;
beforeAll(async () => {
  issuer = await Issuer.start();
});
afterAll(() => issuer?.stop());

let folder: string;
let server: Server;
let url: string;
let answer: RequestListener;
const asked: { line: string; key: string | undefined }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamp-unreachable-'));
  server = createServer((request, response) => {
    const key = request.headers['idempotency-key'];
    asked.push({ line: `${request.method} ${request.url}`, key: typeof key === 'string' ? key : undefined });
    request.resume().once('end', () => answer(request, response));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const apps = { using: null, apps: [{ name: 'prod', url, client: issuer.client }] };
  await writeFile(join(folder, 'apps.json'), JSON.stringify(apps));
  vi.stubEnv('LAMPLIGHTER_APPS', join(folder, 'apps.json'));
  for (const [name, value] of Object.entries(issuer.environment)) vi.stubEnv(name, value);
  asked.length = 0;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

const waits: number[] = [];
function lamp(...args: string[]) {
  const home = findHome(folder);
  waits.length = 0;
  const sleep = async (ms: number) => void waits.push(ms);
  return call([...args, '--app', 'prod'], () => ({
    home,
    connect: () => connect(home, { app: 'prod', sleep }),
    isRemote: async () => true,
    now: Date.now,
    sleep,
  }));
}

const json = (status: number, body: unknown, type = 'application/json'): RequestListener => {
  return (_, response) => void response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
};
const problem = (status: number, code: string, detail: string) =>
  json(status, { type: `urn:lamplighter:${code}`, title: 'No', status, detail }, 'application/problem+json');
const job = {
  job: 'score',
  description: null,
  owner: null,
  tier: null,
  status: 'production',
  schedules: [],
  next: null,
};
const score = { ...job, paused: null, running: [], last: null, streak: 0 };

describe('an app that does not answer', () => {
  const looks = [['jobs'], ['runs', 'score'], ['logs', 'score', '-f'], ['health'], ['drift'], ['events']];
  const orders = [
    ['pause', 'score'],
    ['run', 'score'],
    ['silence', '--all', '--for', '2h', '--why', 'x'],
  ];

  test.each([...looks, ...orders])('ends lamp %s %s with 4, and says that nothing is known', async (...args) => {
    server.close();
    await once(server, 'close');
    const { code, stdout, stderr } = await lamp(...args.filter((one) => one !== undefined));
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain(`${url} does not answer: connect ECONNREFUSED`);
    expect(stderr).toContain('Nothing is known about what you asked for. Check the address (lamp use)');
    expect(stderr).not.toMatch(/no such|There is no|not found/i);
    expect(waits).toEqual([1_000, 3_000]);
  });

  test('is asked three times, with the same key where something is done, and 503 is an outage', async () => {
    answer = (request, response) => {
      const out =
        request.method === 'POST' ? problem(503, 'unavailable', 'expected the store to answer') : json(200, score);
      out(request, response);
    };
    const { code, stderr } = await lamp('pause', 'score', '--why', 'x');
    expect([code, stderr]).toEqual([4, expect.stringContaining('expected the store to answer')]);
    const posts = asked.filter(({ line }) => line.startsWith('POST'));
    expect(posts.map(({ line }) => line)).toEqual(Array(3).fill('POST /api/v1/jobs/score/pause'));
    expect(posts[0]?.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(posts.map(({ key }) => key)).size).toBe(1);
  });

  test.each([502, 504, 429, 500])('and a %i without a word of the API is an outage as well', async (status) => {
    answer = (_, response) => void response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>no</h1>');
    const { code, stderr } = await lamp('jobs');
    expect([code, stderr]).toEqual([4, expect.stringContaining(`${url} answered ${status}. Try again later`)]);
  });

  test('for a second only is not noticed', async () => {
    let count = 0;
    answer = (request, response) => {
      count += 1;
      if (count === 1) response.destroy();
      else json(200, { items: [], next: null })(request, response);
    };
    expect((await lamp('jobs', '--json')).code).toBe(0);
    expect(waits).toEqual([1_000]);
  });

  test('to its end: half an answer is none', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"items":[', () => response.destroy());
    };
    const { code, stdout, stderr } = await lamp('jobs');
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain(`${url} did not answer to the end`);
  });
});

describe('an app that is older than lamp', () => {
  const old =
    /^http.* does not know POST \/silences: it is older than this lamp\. Bring it up to date with lamp deploy/m;
  const empty: RequestListener = (_, response) => void response.writeHead(404).end();

  test.each([
    ['by a code of the API', problem(404, 'no-such-route', 'expected an address of the document')],
    ['by the method', problem(405, 'no-such-method', 'expected GET, found POST')],
    ['by the host of the functions, which has no body', empty],
  ])('is said to be older, %s, and what to do; never that something is not found', async (_, refuse) => {
    answer = (request, response) => (request.method === 'POST' ? refuse : json(200, score))(request, response);
    const { code, stdout, stderr } = await lamp('silence', '--all', '--for', '2h', '--why', 'x');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(old);
    expect(stderr).not.toMatch(/not found|There is no job/i);
  });

  test('without the list of jobs is said to be older, not to be without jobs', async () => {
    answer = empty;
    const { code, stderr } = await lamp('pause', 'score');
    expect([code, stderr]).toEqual([1, expect.stringContaining('does not know GET /jobs/score: it is older')]);
  });

  test('or newer, and answers in another shape, is named with the field', async () => {
    answer = json(200, { items: [{ ...score, job: 7 }], next: null });
    const { code, stderr } = await lamp('jobs');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/in another shape than this lamp knows \(items\.0\.job: /),
    ]);
  });

  test('a job that is not there is not taken for a route that is not there', async () => {
    answer = (request, response) => {
      const one = request.url?.startsWith('/api/v1/jobs?') ? json(200, { items: [score], next: null }) : undefined;
      (one ?? problem(404, 'no-such-job', 'expected the name of a job'))(request, response);
    };
    const { code, stderr } = await lamp('pause', 'scroe');
    expect([code, stderr]).toEqual([1, expect.stringContaining('There is no job "scroe". Did you mean score?')]);
  });
});
