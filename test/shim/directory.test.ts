import { execFile } from 'node:child_process';
import { access, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, expect, test } from 'vitest';
import type { AttemptSpec } from '../../shared/run/attempt.ts';
import { Folder } from '../support/shim/folder.ts';
import { python, shim, start, until } from '../support/shim/shim.ts';

const run = promisify(execFile);

let store: Folder;
beforeEach(async () => {
  store = await Folder.create();
});

const folderOf = (spec: AttemptSpec) => dirname(fileURLToPath(spec.blobs.started));
const exists = (url: string) =>
  access(fileURLToPath(url)).then(
    () => true,
    () => false,
  );
/** Each file below the attempt's directory → its mode. */
async function files(spec: AttemptSpec): Promise<Record<string, string>> {
  const names = await readdir(folderOf(spec), { recursive: true });
  const modes = names.map(async (name) => [name, ((await stat(join(folderOf(spec), name))).mode & 0o777).toString(8)]);
  return Object.fromEntries(await Promise.all(modes));
}

test('an attempt leaves its log, result and outputs in its directory, for its user alone', async () => {
  const script = 'print("hello")\nimport os\nos.mkdir("lists")\nopen("lists/a b.csv", "w").write("x,y\\n1,2\\n")';
  const spec = await store.spec(script, { outputs: ['lists/a b.csv'] });
  expect(await start(spec).ended).toMatchObject({ code: 0, said: '' });
  expect(await files(spec)).toEqual({
    'started.json': '600',
    'log.txt': '600',
    'result.json': '600',
    outputs: '700',
    'outputs/lists': '700',
    'outputs/lists/a b.csv': '600',
  });
  expect(await readFile(join(folderOf(spec), 'outputs/lists/a b.csv'), 'utf8')).toBe('x,y\n1,2\n');
  // Short enough for the result to keep it, and there to be read all the same.
  expect((await store.log(spec)).job.toString()).toBe('hello\n');
  expect(await store.result(spec)).toMatchObject({
    outcome: 'succeeded',
    log: { text: expect.stringContaining('hello') },
    outputs: [{ path: 'lists/a b.csv', profile: { rows: 1 } }],
  });
});

test('a second shim leaves an attempt alone that is taken', async () => {
  const spec = await store.spec('print("once")');
  expect((await start(spec).ended).code).toBe(0);
  const result = await readFile(fileURLToPath(spec.blobs.result));
  const second = await start(spec).ended;
  expect(second).toMatchObject({ code: 75, said: expect.stringContaining('is taken already') });
  expect(await readFile(fileURLToPath(spec.blobs.result))).toEqual(result);
});

test('two shims at once: exactly one runs the job', async () => {
  const spec = await store.spec('print("once")');
  const ends = await Promise.all([1, 2, 3, 4].map(() => start(spec).ended));
  expect(ends.map(({ code }) => code).sort()).toEqual([0, 75, 75, 75]);
});

test('an attempt that was given up is not begun', async () => {
  const spec = await store.spec('print("never")');
  await writeFile(fileURLToPath(spec.blobs.started), '{"abandonedBy":"the watch"}');
  expect((await start(spec).ended).code).toBe(75);
  expect(Object.keys(await files(spec))).toEqual(['started.json']);
});

test('a log is there while the job runs, with heartbeats beside it', async () => {
  const script =
    'import os, time\nprint("first", flush=True)\nwhile not os.path.exists(os.environ["GO"]): time.sleep(0.02)\nprint("last")';
  const go = join(store.root, 'go');
  const spec = await store.spec(script, { heartbeatMs: 200, env: { GO: go } });
  const { ended } = start(spec);
  await until(async () => (await exists(spec.blobs.log)) && (await store.log(spec)).job.toString() === 'first\n');
  await until(() => exists(spec.blobs.heartbeat));
  await writeFile(go, '');
  expect((await ended).code).toBe(0);
  expect((await store.log(spec)).job.toString()).toBe('first\nlast\n');
  expect(await readFile(fileURLToPath(spec.blobs.heartbeat), 'utf8')).toContain('delivering');
  expect((await store.result(spec)).log).toMatchObject({ text: null, lines: 2 });
});

test('inputs come from other directories, and one that is not there ends the attempt', async () => {
  const input = join(store.root, 'people.csv');
  await writeFile(input, 'a\n');
  const sha256 = '87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7';
  const given = [{ path: 'people.csv', url: pathToFileURL(input).href, sha256 }];
  const spec = await store.spec('print(open("people.csv").read())', { inputs: given });
  await start(spec).ended;
  expect(await store.result(spec)).toMatchObject({ outcome: 'succeeded', inputs: { 'people.csv': sha256 } });
  const absent = [{ path: 'people.csv', url: pathToFileURL(join(store.root, 'gone.csv')).href, sha256 }];
  const second = await store.spec('print(1)', { inputs: absent });
  expect((await start(second).ended).code).toBe(0);
  expect(await store.result(second)).toMatchObject({
    outcome: 'failed',
    error: { class: 'infrastructure', message: expect.stringContaining('No such file or directory') },
  });
});

test('no HTTP client is loaded for a directory', async () => {
  const spec = await store.spec('print(1)');
  const child = run(python, ['-X', 'importtime', '-I', '-S', shim]);
  child.child.stdin?.end(JSON.stringify(spec));
  const loaded = (await child).stderr.split('\n').map((line) => line.split('|').at(-1)?.trim());
  expect(loaded).toContain('lamplighter_shim.directory');
  expect(loaded.filter((name) => /^(http|ssl|socket|urllib\.request)\b|http1|addresses/.test(name ?? ''))).toEqual([]);
});

/** Runs statements with the shim's modules. @returns what they print */
async function inShim(statements: string): Promise<string> {
  const path = dirname(shim);
  const { stdout } = await run(python, [
    '-I',
    '-S',
    '-c',
    `import sys\nsys.path.append(${JSON.stringify(path)})\n${statements}`,
  ]);
  return stdout;
}

const storage = (url: string) => `
import errno, os
from lamplighter_shim.storage import open_storage, Refused, Away
url = ${JSON.stringify(url)}
pauses = []
store = open_storage(url, 60_000, pause=pauses.append)
`;

test('a full disk is waited for, and what was begun on it leaves nothing', async () => {
  const spec = await store.spec('print(1)');
  const said = await inShim(`${storage(spec.blobs.result)}
real, tries = os.pwrite, []
def full(*args):
    tries.append(args)
    if len(tries) <= 2: raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return real(*args)
os.pwrite = full
print(store.create(url, b'{}'), len(pauses), sorted(os.listdir(${JSON.stringify(folderOf(spec))})))
`);
  expect(said.trim()).toBe("True 2 ['result.json']");
});

test('a power cut between the name and its flush: the next try finds its own file', async () => {
  const spec = await store.spec('print(1)');
  const said = await inShim(`${storage(spec.blobs.result)}
real, flushed = os.fsync, []
def lost(fd):
    flushed.append(fd)
    if len(flushed) == 2: raise OSError(errno.EIO, os.strerror(errno.EIO))
    return real(fd)
os.fsync = lost
print(store.create(url, b'{}'), len(pauses))
`);
  expect(said.trim()).toBe('False 1');
});

test('a folder that is gone or forbidden is an answer and not an outage', async () => {
  const gone = pathToFileURL(join(store.root, 'gone/log.txt')).href;
  const said = await inShim(`${storage(gone)}
try: store.append_once(url, 0, b'x')
except Refused as refused: print(refused.absent, len(pauses))
`);
  expect(said.trim()).toBe('True 0');
});

test('a link that a job puts in place of its log is not followed', async () => {
  const spec = await store.spec('print(1)');
  const victim = join(store.root, 'victim');
  await writeFile(victim, 'untouched');
  await symlink(victim, fileURLToPath(spec.blobs.log));
  expect((await start(spec).ended).code).toBe(0);
  expect(await readFile(victim, 'utf8')).toBe('untouched');
  expect(await store.result(spec)).toMatchObject({ outcome: 'succeeded', log: { text: expect.stringContaining('1') } });
});
