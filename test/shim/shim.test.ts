import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { start, until, World, zip } from '../support/shim/shim.ts';

let world: World;
let folder: string;
beforeAll(async () => {
  world = await World.create();
  folder = await mkdtemp(join(tmpdir(), 'lamp-shim-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a job runs, and its log in the order it was written, its figures and its result are kept', async () => {
  const spec = await world.spec(`import sys, os
for i in range(200):
    print('out', i)
    print('err', i, file=sys.stderr)
open(os.environ['JOB_METRICS'], 'a').write('rows=412\\n')`);
  const { result, log, said } = await world.run(spec);
  expect(said).toBe('');
  expect(result).toMatchObject({
    outcome: 'succeeded',
    exitCode: 0,
    signal: null,
    error: null,
    metrics: { rows: 412 },
  });
  const lines = Array.from({ length: 200 }, (_, i) => `out ${i}\nerr ${i}\n`).join('');
  expect(log.job.toString()).toBe(lines);
  expect(result.log).toMatchObject({ bytes: lines.length, lines: 400, capped: false });
  expect(result.cpuMs).toBeGreaterThan(1);
  expect(result.peakMemoryBytes).toBeGreaterThan(1 << 20);
  expect(result.python).toMatch(/^3\.\d+\.\d+$/);
  expect(result.storageCalls).toBe(3);
  expect(await world.exists(`${spec.run}/log.txt`)).toBe(false);
  expect(await world.exists(`${spec.run}/heartbeat`)).toBe(false);
});

test('of two shims that get the same attempt one runs it, and the other leaves with 75 and leaves nothing', async () => {
  const mark = join(folder, 'ran');
  const spec = await world.spec(`open(${JSON.stringify(mark)}, 'a').write('x')`);
  const ended = await Promise.all([start(spec).ended, start(spec).ended]);
  expect(ended.map(({ code }) => code).sort()).toEqual([0, 75]);
  expect(await readFile(mark, 'utf8')).toBe('x');
  const started = JSON.parse((await world.read(`${spec.run}/started.json`)).toString());
  expect(started).toMatchObject({ pid: expect.any(Number), processStart: expect.any(Number), shim: '1' });
  expect((await start(spec).ended).code).toBe(75);
  expect(await readFile(mark, 'utf8')).toBe('x');
});

test('an attempt that storage refuses to give is left with 69 and a reason, and nothing runs', async () => {
  const mark = join(folder, 'refused');
  const spec = await world.spec(`open(${JSON.stringify(mark)}, 'a')`);
  spec.blobs.started = world.url(`${spec.run}/started.json`, 'r');
  const { code, said } = await start(spec).ended;
  expect(code).toBe(69);
  expect(said).toMatch(/was not taken: storage answers 403/);
  expect(await readdir(folder)).not.toContain('refused');
});

test('a job sees its own environment and nothing of the shim: no signed address, no specification', async () => {
  const spec = await world.spec(
    `import os, json
print(json.dumps(dict(os.environ)))
for name in ('environ', 'cmdline'):
    print(open(f'/proc/{os.getppid()}/{name}', 'rb').read())
print(os.listdir('.'), len(os.environ['JOB_METRICS']) > 0, os.getsid(0) == os.getpid())`,
    { env: { REGION: 'emea' }, secrets: { CRM_API_KEY: 'k-1234567890', FROM_HOST: null } },
  );
  const { result, log } = await world.run(spec, {
    LAMPLIGHTER_SPEC: JSON.stringify(spec),
    FROM_HOST: 'from-the-platform',
    HTTPS_PROXY: 'http://proxy:3128',
    LC_ALL: 'C.UTF-8',
    AZURE_CLIENT_SECRET: 'of the host',
  });
  expect(result.outcome).toBe('succeeded');
  const text = log.job.toString();
  expect(text).not.toMatch(/sig=|LAMPLIGHTER_SPEC=[^\\]|blob/);
  const env = JSON.parse(text.split('\n')[0] as string);
  expect(env).toMatchObject({
    JOB_NAME: 'score-prospects',
    JOB_RUN_ID: `score-prospects.${spec.run}`,
    JOB_ATTEMPT: '1',
    JOB_SCHEDULED_FOR: '2026-11-20T07:00:00Z',
    REGION: 'emea',
    CRM_API_KEY: '***',
    FROM_HOST: '***',
    HTTPS_PROXY: 'http://proxy:3128',
    LC_ALL: 'C.UTF-8',
    PYTHONUTF8: '1',
  });
  expect(env).not.toHaveProperty('AZURE_CLIENT_SECRET');
  expect(text).toContain("['main.py'] True True");
});

test('a secret that the platform did not give fails the attempt as configuration, by name', async () => {
  const spec = await world.spec('print("never")', { secrets: { CRM_API_KEY: null } });
  const { result, log } = await world.run(spec);
  expect(result.error).toMatchObject({ class: 'configuration', message: expect.stringContaining('CRM_API_KEY') });
  expect(result.jobStartedAt).toBeNull();
  expect(log.job.toString()).toBe('');
});

test('a bundle keeps its executable files and folders, and is read again from the cache', async () => {
  const cache = join(folder, 'cache');
  const files = {
    'bin/run.sh': { data: '#!/bin/sh\necho "from $(cat data/a.txt)"\n', mode: 0o100755 },
    'data/a.txt': 'a file',
  };
  const spec = await world.spec(files, { command: ['bin/run.sh'], cache });
  expect((await world.run(spec)).log.job.toString()).toBe('from a file\n');
  const kept = join(cache, 'bundles', `${spec.bundle.digest}.zip`);
  const again = await world.spec(files, { command: ['bin/run.sh'], cache });
  again.bundle.url = world.url('nowhere', 'r');
  expect((await world.run(again)).log.job.toString()).toBe('from a file\n');
  await writeFile(kept, 'not what it was');
  const damaged = await world.spec(files, { command: ['bin/run.sh'], cache });
  expect((await world.run(damaged)).result.outcome).toBe('succeeded');
  expect(
    createHash('sha256')
      .update(await readFile(kept))
      .digest('hex'),
  ).toBe(spec.bundle.digest);
});

test('a bundle with another digest, a path that leads out, a link or a missing blob never runs', async () => {
  const wrong = await world.spec('print(1)');
  wrong.bundle.digest = 'a'.repeat(64);
  const slip = Buffer.from((await zip({ 'xx/slip.py': 'x' })).toString('latin1').replaceAll('xx/', '../'), 'latin1');
  const link = await zip({ 'main.py': { data: '/etc/passwd', mode: 0o120777 } });
  const bad = [wrong];
  for (const archive of [slip, link, Buffer.from('no zip at all')]) {
    const spec = await world.spec('print(1)');
    const { url, sha256 } = await world.put(`bundles/bad${bad.length}`, archive);
    bad.push({ ...spec, bundle: { digest: sha256, url, locked: false } });
  }
  const gone = await world.spec('print(1)');
  gone.bundle.url = world.url('bundles/gone', 'r');
  const messages = [];
  for (const spec of [...bad, gone]) {
    const { result } = await world.run(spec);
    expect(result).toMatchObject({ outcome: 'failed', jobStartedAt: null, error: { class: 'infrastructure' } });
    messages.push(result.error?.message);
  }
  expect(messages).toEqual([
    expect.stringMatching(/SHA-256 .* a{64} was expected/),
    expect.stringMatching(/"\.\.\/slip\.py" is not a plain path/),
    expect.stringMatching(/"main\.py" is a link/),
    expect.stringMatching(/not a zip archive/),
    expect.stringMatching(/storage answers 404 BlobNotFound/),
  ]);
});

test('inputs are in their place before the job starts, and a wrong one stops it', async () => {
  const input = await world.put('golden.csv', Buffer.from('a,b\n1,2\n'));
  const files = 'print(open("in/golden.csv").read())';
  const spec = await world.spec(files, { inputs: [{ path: 'in/golden.csv', ...input }] });
  const { result, log } = await world.run(spec);
  expect(log.job.toString()).toContain('a,b\n1,2\n');
  expect(result.inputs).toEqual({ 'in/golden.csv': input.sha256 });
  for (const bad of [
    { path: 'in/golden.csv', url: input.url, sha256: 'b'.repeat(64) },
    { path: '../golden.csv', ...input },
  ]) {
    const { result } = await world.run(await world.spec(files, { inputs: [bad] }));
    expect(result).toMatchObject({ outcome: 'failed', error: { class: 'infrastructure' }, inputs: {} });
  }
});

test.concurrent('a heartbeat comes after the interval while the job runs, and the service is nudged when the result is there', async () => {
  const nudges: unknown[] = [];
  const server = createServer(async (request, response) => {
    nudges.push(JSON.parse(Buffer.concat(await request.toArray()).toString()));
    response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const nudge = `http://127.0.0.1:${(server.address() as { port: number }).port}/finish`;
  const spec = await world.spec('import time; time.sleep(2)', { heartbeatMs: 100, nudge });
  const { ended } = start(spec);
  await until(() => world.exists(`${spec.run}/heartbeat`));
  expect(await world.exists(`${spec.run}/result.json`)).toBe(false);
  expect((await ended).code).toBe(0);
  expect(nudges).toEqual([{ job: 'score-prospects', run: spec.run, attempt: 1 }]);
  server.close();
});

test.concurrent('a nudge that no one hears and a heartbeat that storage refuses disturb nothing', async () => {
  const spec = await world.spec('import time; time.sleep(1.3); print("fine")', { heartbeatMs: 50 });
  spec.blobs.heartbeat = world.url(`${spec.run}/heartbeat`, 'r');
  spec.nudge = 'http://127.0.0.1:9/no one';
  const { result, log } = await world.run(spec);
  expect(result.outcome).toBe('succeeded');
  expect(log.job.toString()).toBe('fine\n');
});

test('the work directory is gone afterwards, read-only folders included', async () => {
  const temporary = await mkdtemp(join(folder, 'tmp-'));
  const spec = await world.spec(`import os
os.makedirs('deep/down'); open('deep/down/file', 'w').close()
os.chmod('deep/down', 0o500); os.chmod('deep', 0o500); os.symlink('/etc', 'link')`);
  expect((await world.run(spec, { TMPDIR: temporary })).result.outcome).toBe('succeeded');
  expect(await readdir(temporary)).toEqual([]);
  expect(await readdir('/etc')).not.toEqual([]);
});

test('when the shim itself cannot go on, the service still hears of it', async () => {
  const spec = await world.spec('print(1)');
  const { result } = await world.run(spec, { TMPDIR: join(folder, 'not-there') });
  expect(result).toMatchObject({ outcome: 'failed', error: { class: 'infrastructure' } });
  expect(result.error?.message).toContain('FileNotFoundError');
});

test('a specification that is none ends the shim with 64 and says what is missing', async () => {
  const { code, said } = await start({ version: 1 } as never).ended;
  expect(code).toBe(64);
  expect(said).toMatch(/lacks job, run/);
});
