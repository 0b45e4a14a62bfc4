import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { StartError } from '../../shared/executors/executor.ts';
import { isAlive, pidOf } from '../../shared/executors/process/pid.ts';
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
const id = ({ job, run, attempt }: AttemptSpec, handle: string) => ({ job, run, attempt, handle });
const parentOf = (pid: number) => Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
const childrenOf = async (pid: number) => (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();
const begun = (spec: AttemptSpec) => until(() => world.exists(`${spec.run}/started.json`));
const gone = (pid: number) =>
  until(async () => (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'Z')).includes('Z'));

test('an attempt leaves its result and its end is reported once', async () => {
  const { executor, ended } = host();
  const spec = await world.spec('print("hello")');
  const handle = await executor.start(spec);
  expect(executor.running()).toBe(1);
  expect(await executor.status(id(spec, handle))).toBe('running');
  await executor.idle();
  expect(executor.running()).toBe(0);
  expect(ended).toEqual([spec.run]);
  expect(await executor.status(id(spec, handle))).toBe('unknown');
  expect((await world.left(spec)).log.job.toString()).toBe('hello\n');
});

test('fifty attempts at once all run, each in a process of its own, and no zombie is left', async () => {
  const { executor, ended } = host();
  const gate = await waiting();
  const prefork = parentOf(pidOf(await executor.start(gate.spec)));
  const specs = await Promise.all(Array.from({ length: 50 }, short));
  const handles = await Promise.all(specs.map((spec) => executor.start(spec)));
  expect(new Set(handles).size).toBe(50);
  await until(async () => ended.length === 50);
  for (const spec of specs) expect((await world.left(spec)).result.outcome).toBe('succeeded');
  expect((await childrenOf(prefork)).split(' ')).toHaveLength(1);
  await gate.release();
  await executor.idle();
  expect(await childrenOf(prefork)).toBe('');
});

test('a shim that is killed takes no one with it, and its end is reported', async () => {
  const { executor, ended } = host();
  const [victim, other] = [await waiting(), await waiting()];
  const handle = await executor.start(victim.spec);
  const prefork = parentOf(pidOf(await executor.start(other.spec)));
  await begun(victim.spec);
  process.kill(pidOf(handle), 'SIGKILL');
  await victim.release();
  await until(async () => ended.includes(victim.spec.run));
  expect(executor.running()).toBe(1);
  const next = await short();
  await executor.start(next);
  await other.release();
  await executor.idle();
  for (const spec of [other.spec, next]) expect((await world.left(spec)).result.outcome).toBe('succeeded');
  expect(await isAlive(handle)).toBe(false);
  expect(parentOf(prefork)).toBe(process.pid);
});

test('a shim that fails on what it was given says so in the log and takes no one with it', async () => {
  const { executor, ended } = host();
  const good = await short();
  const bad = { ...good, version: 7, run: 'bad' } as unknown as AttemptSpec;
  const worse = { ...good, blobs: null, run: 'worse' } as unknown as AttemptSpec;
  await Promise.all([bad, worse, good].map((spec) => executor.start(spec)));
  await executor.idle();
  expect(ended.sort()).toEqual(['bad', good.run, 'worse'].sort());
  expect((await world.left(good)).result.outcome).toBe('succeeded');
  const said = await readFile(shimLog(), 'utf8');
  expect(said).toContain('lamplighter: this shim reads version 1 of the specification, and this is 7');
  expect(said).toContain('Traceback');
});

test('attempts outlive the process that forked them: they finish, their ends are reported, and new ones start', async () => {
  const { executor, ended } = host();
  const [one, two] = [await waiting(), await waiting()];
  const handles = [await executor.start(one.spec), await executor.start(two.spec)];
  const prefork = parentOf(pidOf(handles[0] ?? ''));
  await Promise.all([begun(one.spec), begun(two.spec)]);
  process.kill(prefork, 'SIGKILL');
  await gone(prefork);
  const next = await waiting();
  expect(parentOf(pidOf(await executor.start(next.spec)))).not.toBe(prefork);
  expect(executor.running()).toBe(3);
  expect(ended).toEqual([]);
  await one.release();
  await until(async () => ended.includes(one.spec.run));
  expect(executor.running()).toBe(2);
  await Promise.all([two.release(), next.release()]);
  await executor.idle();
  expect(ended.sort()).toEqual([one, two, next].map(({ spec }) => spec.run).sort());
  for (const { spec } of [one, two, next]) expect((await world.left(spec)).result.outcome).toBe('succeeded');
});

test('a start that is asked for in the instant of the death happens all the same, and once', async () => {
  const { executor, ended } = host();
  const first = await short();
  const prefork = parentOf(pidOf(await executor.start(first)));
  process.kill(prefork, 'SIGKILL');
  const specs = await Promise.all(Array.from({ length: 5 }, () => world.spec('print("once")')));
  await Promise.all(specs.map((spec) => executor.start(spec)));
  await executor.idle();
  expect(ended.sort()).toEqual([first, ...specs].map(({ run }) => run).sort());
  for (const spec of specs) expect((await world.left(spec)).log.job.toString()).toBe('once\n');
});

test('stop ends one attempt, stopAll the others, and all of them say so', async () => {
  const { executor } = host();
  const [{ spec: one }, ...rest] = [await waiting(), await waiting(), await waiting()];
  const others = rest.map(({ spec }) => spec);
  const [handle = ''] = await Promise.all([one, ...others].map((spec) => executor.start(spec)));
  await Promise.all([one, ...others].map(begun));
  await executor.stop(id(one, handle));
  await until(async () => executor.running() === 2);
  expect((await world.left(one)).result.outcome).toBe('stopped');
  await executor.stop(id(one, handle));
  executor.stopAll();
  await executor.idle();
  for (const spec of others) expect((await world.left(spec)).result.outcome).toBe('stopped');
});

/** A host of its own, which starts the attempt, says its handle, and says when it has ended. */
function otherHost(spec: AttemptSpec): ChildProcess {
  const module = join(import.meta.dirname, '../../shared/executors/process/process.ts');
  const options = JSON.stringify({ python, shim, shimLog: shimLog() });
  const program = `
    import { readFileSync } from 'node:fs';
    const { processExecutor } = await import(${JSON.stringify(module)});
    const executor = processExecutor({ ...${options}, ended: () => console.log('ended') });
    console.log(await executor.start(JSON.parse(readFileSync(0, 'utf8'))));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin?.end(JSON.stringify(spec));
  return child;
}

test('an attempt outlives a host that is killed, and what forked it does not', async () => {
  const { spec, release } = await waiting();
  const child = otherHost(spec);
  const handle = await new Promise<string>((resolve) =>
    child.stdout?.once('data', (data) => resolve(`${data}`.trim())),
  );
  const prefork = parentOf(pidOf(handle));
  await begun(spec);
  child.kill('SIGKILL');
  await gone(prefork);
  expect(await isAlive(handle)).toBe(true);
  await release();
  await until(() => world.exists(`${spec.run}/result.json`));
  expect((await world.left(spec)).result.outcome).toBe('succeeded');
});

test('a host with nothing left to run may end, and is not kept from it', async () => {
  const spec = await short();
  const child = otherHost(spec);
  const exit = new Promise((resolve) => child.once('exit', resolve));
  const said = child.stdout ? await text(child.stdout) : '';
  expect(await exit).toBe(0);
  // Without a start time when it was over before the host could look.
  expect(said).toMatch(/^\d+:\d*\nended\n$/);
});

test('a Python that is not there, or a shim that does not start, is a failure of ours that says where to look', async () => {
  const missing = host({ python: '/nowhere/python3' });
  const spec = await world.spec('');
  const why = missing.executor.start(spec);
  const message = '/nowhere/python3 could not be started (ENOENT)';
  await expect(why).rejects.toThrow(new StartError('infrastructure', message));
  const broken = host({ shim: join(folder, 'no-shim') });
  await expect(broken.executor.start(spec)).rejects.toThrow(`ended (2): ${shimLog()} says why`);
  expect(missing.executor.running() + broken.executor.running()).toBe(0);
  expect([...missing.ended, ...broken.ended]).toEqual([]);
});
