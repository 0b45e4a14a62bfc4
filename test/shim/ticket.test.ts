import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hour } from '../../shared/instant.ts';
import type { AttemptSpec } from '../../shared/run/attempt.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import { fair, proxy } from '../faults/proxy.ts';
import { randomFrom } from '../faults/random.ts';
import { python, shim, start, until, World, zip } from '../support/shim/shim.ts';
import { startIdentityAzurite } from '../support/storage/azurite-identity.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
});

/** The address at which the shim finds the specification. */
async function ticketOf(spec: AttemptSpec, through?: string): Promise<string> {
  const name = `${spec.run}/spec.json`;
  await world.put(name, Buffer.from(JSON.stringify(spec)));
  return world.url(name, 'rd', through);
}
const go = (spec: AttemptSpec, ticket: string, env: Record<string, string> = {}) =>
  start(spec, { LAMPLIGHTER_SPEC: ticket, ...env });

/** What every process of the container can look at, as far as its user may; here as root. */
const prying = `
import os, sys
for path in ['/proc/self/environ', f'/proc/{os.getppid()}/environ', f'/proc/{os.getppid()}/cmdline']:
    print(path, open(path, 'rb').read())
print(sorted(os.environ))
`;

test('a specification is read once, and removed as soon as the attempt is taken', async () => {
  const marker = 'print("it ran"); import time; time.sleep(0.5)';
  const spec = await world.spec(marker);
  const ended = go(spec, await ticketOf(spec)).ended;
  await until(() => world.exists(`${spec.run}/started.json`));
  await until(async () => !(await world.exists(`${spec.run}/spec.json`)));
  expect(await world.exists(`${spec.run}/result.json`)).toBe(false);
  expect(await ended).toMatchObject({ code: 0, said: '' });
  const { result, log } = await world.left(spec);
  expect(log.job.toString()).toBe('it ran\n');
  // The ticket read and removed, the attempt taken, the bundle read, the result stored.
  expect(result).toMatchObject({ outcome: 'succeeded', storageCalls: 5 });
});

test('neither ticket, nor token endpoint, nor the name of the attempt is to be found by the job', async () => {
  const spec = await world.spec(prying);
  const identity = {
    IDENTITY_ENDPOINT: 'http://localhost:42356/msi/token',
    IDENTITY_HEADER: 'header-853b9a84-5bfa',
    MSI_ENDPOINT: 'http://localhost:42356/msi/token',
    MSI_SECRET: 'header-853b9a84-5bfa',
    LAMPLIGHTER_RUN: 'score-prospects/run1/1',
    CONTAINER_APP_JOB_NAME: 'lamp-score',
  };
  const ticket = await ticketOf(spec);
  expect(await go(spec, ticket, identity).ended).toMatchObject({ code: 0 });
  const { log } = await world.left(spec);
  const seen = log.job.toString();
  expect(seen).toContain('/environ');
  expect(seen).toContain('CONTAINER_APP_JOB_NAME=lamp-score');
  for (const name of ['IDENTITY_', 'MSI_']) expect(seen).not.toMatch(new RegExp(`${name}[A-Z]+=h`));
  for (const text of ['42356', 'header-853b', 'run1/1', 'spec.json', 'sig=', 'LAMPLIGHTER_SPEC=http']) {
    expect(seen).not.toContain(text);
  }
  expect(seen).not.toMatch(/\[.*'(IDENTITY|MSI|LAMPLIGHTER|CONTAINER)_.*\]\n$/);
  expect(seen).toMatch(/'JOB_ATTEMPT', 'JOB_METRICS'.*\]\n$/);
});

test('a secret that the platform injects reaches the job, and is kept out of the log', async () => {
  const spec = await world.spec('import os; print(len(os.environ["KEY"]), os.environ["KEY"])', {
    secrets: { KEY: null },
  });
  expect(await go(spec, await ticketOf(spec), { KEY: 'hush-hush-hush' }).ended).toMatchObject({ code: 0 });
  expect((await world.left(spec)).log.job.toString()).toBe('14 ***\n');
});

test('uv, which may build packages of strangers, gets nothing of the platform’s either', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lamp-ticket-'));
  const uv = join(folder, 'uv');
  await writeFile(uv, `#!/bin/sh\nenv > ${folder}/seen\nexit 1\n`);
  await chmod(uv, 0o755);
  const spec = await world.spec({ 'main.py': '', 'uv.lock': '', 'pyproject.toml': '' });
  spec.bundle.locked = true;
  const env = { PATH: `${folder}:${process.env.PATH}`, IDENTITY_HEADER: 'header-853b', LAMPLIGHTER_RUN: 'a/b/1' };
  expect(await go(spec, await ticketOf(spec), env).ended).toMatchObject({ code: 0 });
  const seen = await readFile(join(folder, 'seen'), 'utf8');
  expect(seen).toContain('PATH=');
  expect(seen).not.toMatch(/IDENTITY|LAMPLIGHTER|header-853b/);
  await rm(folder, { recursive: true });
});

describe('a ticket that is used', () => {
  test('makes the second shim leave with 75 and run nothing, while the first runs and after it', async () => {
    const spec = await world.spec('print("once"); import time; time.sleep(1)');
    const ticket = await ticketOf(spec);
    const first = go(spec, ticket).ended;
    await until(async () => !(await world.exists(`${spec.run}/spec.json`)));
    const second = await go(spec, ticket).ended;
    expect(second).toMatchObject({
      code: 75,
      said: expect.stringMatching(/taken already, or given up.*404 BlobNotFound/),
    });
    expect(await first).toMatchObject({ code: 0 });
    expect((await go(spec, ticket).ended).code).toBe(75);
    expect((await world.left(spec)).log.job.toString()).toBe('once\n');
  });

  test('at the same moment by four shims runs once, and the others leave with 75', async () => {
    const spec = await world.spec('print("once")');
    const ticket = await ticketOf(spec);
    const ends = await Promise.all([1, 2, 3, 4].map(() => go(spec, ticket).ended));
    expect(ends.map(({ code }) => code).sort()).toEqual([0, 75, 75, 75]);
  });
});

describe('a ticket that cannot be read', () => {
  test('because its signature is another blob’s, or made up, is reported with exit code 69, and without the signature', async () => {
    const spec = await world.spec('print("never")');
    const ticket = await ticketOf(spec);
    const forged = ticket.replace('/spec.json', '/other.json');
    const wrong = ticket.replace(/sig=[^&]+/, 'sig=AAAA');
    for (const address of [forged, wrong]) {
      const { code, said } = await go(spec, address).ended;
      expect({ code, said }).toMatchObject({
        code: 69,
        said: expect.stringMatching(/storage answers 403 .*signature/),
      });
      expect(said).not.toMatch(/sig=|AAAA|Traceback/);
    }
    expect(await world.exists(`${spec.run}/started.json`)).toBe(false);
  });

  test('because its container is missing is an outage, not an attempt that is taken', async () => {
    const spec = await world.spec('');
    const gone = await World.create();
    const address = gone.url('spec.json', 'rd');
    await gone.container.delete();
    expect((await go(spec, address).ended).code).toBe(69);
  });

  test('because storage is unavailable ends after a while with 69, and at once when the platform asks', async () => {
    const code = `import sys; sys.path.insert(0, ${JSON.stringify(dirname(shim))})
from lamplighter_shim.ticket import run_by_ticket
sys.exit(run_by_ticket('http://127.0.0.1:9/x?sig=hush', 300))`;
    const failed = await promisify(execFile)(python, ['-I', '-S', '-c', code]).catch((error) => error);
    expect(failed).toMatchObject({ code: 69, stderr: expect.stringContaining('storage was unavailable for 0.3s') });
    expect(failed.stderr).not.toContain('hush');

    const server = createServer((_, to) => to.writeHead(503).end()).listen(0, '127.0.0.1');
    const asked = new Promise((resolve) => server.once('request', resolve));
    const spec = await world.spec('');
    const { child, ended } = go(spec, `http://127.0.0.1:${(server.address() as AddressInfo).port}/spec.json?sig=x`);
    await asked;
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 69, said: expect.stringContaining('(SIGTERM)') });
    server.close();
    server.closeAllConnections();
  });

  test('because it is no specification, or far too large, or no address, is a mistake in use: 64', async () => {
    const spec = await world.spec('');
    for (const [body, says] of [
      [Buffer.from('{"version": 1'), 'is not JSON'],
      [Buffer.from([0xff, 0xfe]), 'is not JSON'],
      [Buffer.alloc(5 << 20, ' '), 'is larger than 4 MiB'],
    ] as const) {
      await world.put('broken/spec.json', body);
      const { code, said } = await go(spec, world.url('broken/spec.json', 'rd')).ended;
      expect({ code, said }).toMatchObject({ code: 64, said: expect.stringContaining(says) });
      expect(said).not.toContain('Traceback');
    }
    for (const address of ['https://', 'http://[', 'https:/x']) expect((await go(spec, address).ended).code).toBe(64);
  });
});

test('storage that is failing when the ticket is read is asked again', async () => {
  let asked = 0;
  const weather = () => ({ ...fair, refuse: asked++ < 4 ? 1 : 0 });
  const way = await proxy(Number(new URL(world.container.url).port), weather, randomFrom(5));
  const spec = await world.spec('print("ran")');
  expect(await go(spec, await ticketOf(spec, `127.0.0.1:${way.port}`)).ended).toMatchObject({ code: 0, said: '' });
  expect(way.counts).toEqual({ refused: 4 });
  expect(await world.exists(`${spec.run}/spec.json`)).toBe(false);
  way.close();
});

test('a ticket that cannot be removed does not keep the job from running', async () => {
  const spec = await world.spec('print("ran")');
  await ticketOf(spec);
  expect(await go(spec, world.url(`${spec.run}/spec.json`, 'r')).ended).toMatchObject({ code: 0, said: '' });
});

describe('with an identity, over https', () => {
  let azurite: Awaited<ReturnType<typeof startIdentityAzurite>>;
  let store: ReturnType<typeof openStore>;
  let attempts = 0;
  beforeAll(async () => {
    azurite = await startIdentityAzurite();
    store = openStore(azurite.identityOf(azurite.freshAccount()));
    await store.prepare();
  });
  afterAll(() => azurite.stop());

  async function specOf(script: string): Promise<AttemptSpec> {
    const archive = await zip({ 'main.py': script });
    const digest = createHash('sha256').update(archive).digest('hex');
    await store.bundles.put(digest, archive);
    const spec = await world.spec(script, { secrets: { KEY: null }, run: '20261120T070000Z', attempt: ++attempts });
    const ends = Date.now() + hour;
    const { blobs, outputs } = await store.attempts.urls(spec, ['out.csv'], ends);
    return { ...spec, blobs, outputs, bundle: { digest, url: await store.bundles.url(digest, ends), locked: false } };
  }
  const env = () => ({ SSL_CERT_FILE: azurite.certFile, KEY: 'hush-hush-hush' });

  test('an attempt is stored, started by its ticket, run and read back', async () => {
    const spec = await specOf('print("hello"); open("out.csv", "w").write("a,b\\n1,2\\n")');
    const ticket = await store.attempts.ticket(spec, spec, Date.now() + hour);
    expect(new URL(ticket).searchParams.get('sp')).toBe('rd');
    expect(await go(spec, ticket, env()).ended).toMatchObject({ code: 0, said: '' });
    const result = await store.attempts.result(spec);
    expect(result).toMatchObject({ outcome: 'succeeded', log: { lines: 1 }, outputs: [{ path: 'out.csv' }] });
    expect((await fetch(ticket)).status).toBe(404);
    expect((await go(spec, ticket, env()).ended).code).toBe(75);
  });

  test('a ticket whose time is over starts nothing, and says what to look at', async () => {
    const spec = await specOf('');
    const ticket = await store.attempts.ticket(spec, spec, Date.now() - 1_000);
    const { code, said } = await go(spec, ticket, env()).ended;
    expect({ code, said }).toMatchObject({ code: 69, said: expect.stringContaining('is its signature still good?') });
    expect(await store.attempts.begun(spec)).toBeUndefined();
  });

  test('a ticket is read and removed, and is good for nothing else', async () => {
    const spec = await specOf('');
    const ticket = await store.attempts.ticket(spec, spec, Date.now() + hour);
    const headers = { 'x-ms-blob-type': 'BlockBlob' };
    expect((await fetch(ticket, { method: 'PUT', headers, body: '{}' })).status).toBe(403);
    expect((await fetch(ticket.replace('spec.json', 'started.json'), { method: 'DELETE' })).status).toBe(403);
    expect(await (await fetch(ticket)).json()).toEqual(spec);
  });

  test('the ticket of an attempt that the service has given up is gone, and who comes late leaves with 75', async () => {
    const spec = await specOf('');
    const ticket = await store.attempts.ticket(spec, spec, Date.now() + hour);
    expect(await store.attempts.abandon(spec, 'watch')).toBe(true);
    expect((await fetch(ticket)).status).toBe(404);
    expect((await go(spec, ticket, env()).ended).code).toBe(75);
  });

  test('a specification with the value of a secret is never stored', async () => {
    const spec = { ...(await specOf('')), secrets: { KEY: 'hush-hush-hush' } };
    await expect(store.attempts.ticket(spec, spec, Date.now() + hour)).rejects.toThrow(/holds values of secrets/);
  });
});
