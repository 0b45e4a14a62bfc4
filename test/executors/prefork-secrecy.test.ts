import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { pidOf } from '../../shared/executors/process/pid.ts';
import { processExecutor } from '../../shared/executors/process/process.ts';
import type { AttemptSpec } from '../../shared/run/attempt.ts';
import { python, shim, until, World } from '../support/shim/shim.ts';

let world: World;
let folder: string;
beforeAll(async () => {
  world = await World.create();
  folder = await mkdtemp(join(tmpdir(), 'prefork-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const shimLog = () => join(folder, 'shim.log');
const waits =
  'import os, sys, time\nprint("begun", flush=True)\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.02)\n';

function host(over: { python?: string; shim?: string } = {}) {
  const ended: string[] = [];
  const executor = processExecutor({ python, shim, shimLog: shimLog(), ...over, ended: ({ run }) => ended.push(run) });
  onTestFinished(async () => {
    executor.stopAll();
    await executor.idle();
  });
  return { executor, ended };
}

/** An attempt that goes on until the file is written that `release` writes. */
async function waiting(over: Partial<Omit<AttemptSpec, 'outputs'>> = {}) {
  const gate = join(folder, `gate-${Math.random()}`);
  const spec = await world.spec(waits, { command: ['python', 'main.py', gate], ...over });
  return { spec, release: () => writeFile(gate, '') };
}

const short = () => world.spec('', { command: ['true'] });
const parentOf = (pid: number) => Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
const begun = (spec: AttemptSpec) => until(() => world.exists(`${spec.run}/started.json`));

test('neither command lines, environments nor descriptors show an attempt anything of the host or of others', async () => {
  const { executor } = host();
  const other = await waiting();
  await executor.start(other.spec);
  const blobs = `${new URL(world.container.url).pathname}/`;
  const look = `
import glob, json, os
found = []
for path in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline'):
    try:
        if b'${blobs}' in open(path, 'rb').read(): found.append(path)
    except OSError: pass
ours = [fd for fd in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{fd}')]
print(json.dumps({'found': found, 'fds': sorted(map(int, ours)), 'stdin': os.readlink('/proc/self/fd/0'),
  'session': os.getsid(0) == os.getpid(), 'shim': os.getsid(os.getppid()) == os.getppid()}))
`;
  const spec = await world.spec(look);
  await executor.start(spec);
  await until(() => world.exists(`${spec.run}/result.json`));
  expect(JSON.parse((await world.left(spec)).log.job.toString())).toEqual({
    found: [],
    fds: [0, 1, 2],
    stdin: '/dev/null',
    session: true,
    shim: true,
  });
  await other.release();
});

test('a shim has no way to what the host says the next one, and no descriptor is lost from run to run', async () => {
  const { executor } = host();
  const all = [await waiting(), await waiting()];
  const pids = await Promise.all(all.map(async ({ spec }) => pidOf(await executor.start(spec))));
  await Promise.all(all.map(({ spec }) => begun(spec)));
  const prefork = parentOf(pids[0] ?? 0);
  // One that is closed while we look is gone, and none of those that stay.
  const open = async (pid: number) => {
    const links = (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''));
    return (await Promise.all(links)).filter((target) => target !== '');
  };
  // Closed to all but root, as it holds the secrets of its attempt.
  const closed = await open(prefork).catch((error: NodeJS.ErrnoException) => error.code);
  if (process.getuid?.() !== 0) {
    expect(closed).toBe('EACCES');
  } else {
    const before = await open(prefork);
    const pipes = before.filter((target) => /^(pipe|socket):/.test(target));
    expect(pipes.length).toBeGreaterThanOrEqual(3);
    for (const pid of pids) expect((await open(pid)).filter((target) => pipes.includes(target))).toEqual([]);
    for (let i = 0; i < 5; i++) await executor.start(await short());
    await until(async () => executor.running() === 2);
    await until(async () => (await open(prefork)).length === before.length);
    expect((await open(prefork)).sort()).toEqual(before.sort());
  }
  await Promise.all(all.map(({ release }) => release()));
});

test('the secrets of one attempt are not in the memory of those that start after it', async () => {
  const { executor } = host();
  const marker = 'never-to-be-seen-again-0451';
  const mine = 'my-own-secret-9327';
  const first = await waiting({ secrets: { KEY: marker } });
  await executor.start(first.spec);
  await begun(first.spec);
  const backwards = (word: string) => [...word].reverse().join('');
  // The words are written backwards, or the shim that unpacks this script would hold them because of that.
  const look = `
import os
def count(pid, word):
    found = 0
    try:
        with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                start, end = (int(part, 16) for part in span.split('-'))
                if rights.startswith('rw'):
                    memory.seek(start)
                    found += memory.read(end - start).count(word)
    except PermissionError: return 'closed'
    return found
shim = os.getppid()
prefork = int(open(f'/proc/{shim}/stat').read().rpartition(')')[2].split()[1])
words = [word[::-1].encode() for word in ('${backwards(marker)}', '${backwards(mine)}')]
print([[count(pid, word) for word in words] for pid in (shim, prefork)])
`;
  const spec = await world.spec(look, { secrets: { OWN: mine } });
  await executor.start(spec);
  await until(() => world.exists(`${spec.run}/result.json`));
  const said = (await world.left(spec)).log.job.toString().trim();
  if (process.getuid?.() === 0) expect(said).toMatch(/^\[\[0, [1-9]\d*\], \[0, 0\]\]$/);
  else expect(said).toBe("[['closed', 'closed'], ['closed', 'closed']]");
  await first.release();
});
