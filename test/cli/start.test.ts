import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pidOf, processHandle } from '../../shared/executors/process/pid.ts';
import { type Json, type Lamp, lampHome, type Running, until } from '../support/cli/lamp.ts';

/** Hosts come and go in one folder; what they leave behind is what these tests are about. */
let here: Lamp;
/** Notes itself and its shim, and ends when it is asked to. */
let gated: string;

beforeAll(async () => {
  here = await lampHome();
  await here.job('good', 'print("hello")');
  gated = `import os, time
with open("${here.home}/pids", "a") as pids:
    print(os.getpid(), os.getppid(), file=pids, flush=True)
while not os.path.exists("${here.home}/go"):
    time.sleep(0.02)`;
  await here.job('long', gated, 'run: { command: [python, main.py], grace: 1s }\n');
});

afterAll(() => here?.clean());

const file = (name: string) => join(here.home, name);
const state = async (run: string): Promise<string> => (await here.json(['show', run])).state;
const go = () => writeFile(file('go'), '');

/** Queues `long` and waits until its script runs. */
async function startLong(): Promise<string> {
  await rm(file('go'), { force: true });
  await rm(file('pids'), { force: true });
  const { run }: Json = await here.json(['run', 'long']);
  await until('the script runs', async () => (await pids()).length > 0);
  return run;
}

async function pids(): Promise<number[]> {
  const text = await readFile(file('pids'), 'utf8').catch(() => '');
  return text.split(/\s+/).filter(Boolean).map(Number);
}

/** Those that are there; the zombie of a process whose parent was killed is not. */
async function alive(): Promise<number[]> {
  const handles = await Promise.all((await pids()).map(processHandle));
  return handles.filter((handle) => !handle.endsWith(':')).map(pidOf);
}

async function nothingIsLeft(): Promise<void> {
  expect(await here.processes()).toEqual([]);
  expect(await alive()).toEqual([]);
}

async function stop(host: Running): Promise<void> {
  host.child.kill('SIGTERM');
  expect((await host.ended).code).toBe(0);
}

test('without a host every command says at once how to start one', async () => {
  for (const args of [['run', 'good', '--wait'], ['runs'], ['pause', 'good']]) {
    const { code, stderr } = await here.process(args);
    expect([code, stderr]).toEqual([1, expect.stringContaining('does not run in')]);
    expect(stderr).toContain('npm start');
  }
});

test('a command given while the host is still starting waits for it', async () => {
  const host = here.begin(['start', '--port', '0']);
  await until('the folder is taken', () => readFile(file('.lamplighter/host.json')).catch(() => undefined));
  expect((await here.lamp(['run', 'good', '--wait'])).code).toBe(0);
  await stop(host);
});

test('a port that is taken is named, with what to do, and leaves nothing running', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await until('it listens', () => other.listening);
  const { port } = other.address() as AddressInfo;
  const { code, stderr } = await here.process(['start', '--port', `${port}`]);
  other.close();
  expect(code).toBe(1);
  expect(stderr).toBe(
    `lamp: port ${port} is in use by another program: choose another with --port, or 0 for any free one\n`,
  );
  await nothingIsLeft();
});

test('of hosts that start at the same moment one wins and the others explain, also after a host that died', async () => {
  await writeFile(file('.lamplighter/host.json'), JSON.stringify({ process: '1:0', url: null }));
  const hosts = [1, 2, 3].map(() => here.begin(['start', '--port', '0']));
  const lost = await until('two have given up', () => {
    const over = hosts.filter(({ child }) => child.exitCode !== null);
    return over.length >= 2 && over;
  });
  const winner = hosts.find((host) => !lost.includes(host));
  if (!winner) throw new Error(`none runs: ${hosts.map((host) => host.said())}`);
  for (const { ended } of lost) {
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`already running in this folder (process ${winner.pid}`),
    ]);
    expect(stderr).toContain('lamp start --join');
  }
  await until('it is ready', () => winner.said().includes('Ctrl-C ends it'));
  await stop(winner);
  await nothingIsLeft();
});

test('a host that joined works at the same store and does not stop it when it ends', async () => {
  const first = await here.start();
  const second = await here.start(['--join']);
  await stop(second);
  expect((await here.lamp(['run', 'good', '--wait'])).code).toBe(0);
  await stop(first);
  await nothingIsLeft();
});

test('jobs are read again when they change; one that breaks goes on as it was, and is reported', async () => {
  await here.job('broken', 'print("never")', 'colour: red\n');
  const host = await here.start();
  expect(host.said()).toMatch(/jobs\/broken\/job.yaml:\d+:\d+ +colour/);
  expect(await here.lamp(['run', 'broken'])).toMatchObject({ code: 1, stderr: expect.stringContaining('lamp check') });
  const jobs: Json[] = await here.json(['jobs']);
  expect(jobs[0]).toMatchObject({ job: 'broken', status: 'broken' });

  await writeFile(file('jobs/good/main.py'), 'print("changed")');
  await until('it is read again', () => host.said().includes('jobs read again'));
  await here.lamp(['run', 'good', '--wait']);
  expect((await here.lamp(['logs', 'good'])).stdout).toBe('changed\n');

  await here.job('fresh', 'print("new here")');
  await until('the new job', () => host.said().includes('3 to run'));
  expect((await here.lamp(['run', 'fresh', '--wait'])).code).toBe(0);

  // Its second run waits for the first, which waits for us: it starts after the job has been broken.
  await here.job('gated', gated, 'run: { command: [python, main.py], overlap: queue }\n');
  await until('the gated job', () => host.said().includes('4 to run'));
  await here.json(['run', 'gated']);
  await until('it runs', async () => (await pids()).length > 0);
  const { run }: Json = await here.json(['run', 'gated']);
  await appendFile(file('jobs/gated/job.yaml'), 'color: red\n');
  await until('the break', () => host.said().includes('until that is fixed, as before: gated'));
  expect(host.said()).toMatch(/jobs\/gated\/job.yaml:\d+:\d+ +color/);
  await go();
  await until('the old version ran', async () => (await state(run)) === 'succeeded');

  for (const name of ['broken', 'fresh', 'gated']) await rm(file(`jobs/${name}`), { recursive: true });
  await until('they are gone', () => host.said().includes('2 to run, 0 problems'));
  await stop(host);
});

test('the host that comes after a killed one takes over its running jobs', async () => {
  const killed = await here.start();
  const run = await startLong();
  killed.child.kill('SIGKILL');
  await killed.ended;
  const refused = await here.lamp(['run', 'good', '--wait']);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('no host works on this store')]);

  const next = await here.start();
  await until('it finds the job', () => next.said().includes('1 job of the host that is gone still running'));
  expect(await state(run)).toBe('running');
  await go();
  await until('the run is over', async () => (await state(run)) === 'succeeded');
  expect((await here.json(['show', run])).attempts).toHaveLength(1);
  await stop(next);
  await nothingIsLeft();
});

test('when everything is killed at once, what was acknowledged is there: read without a host, and gone on with by the next', async () => {
  const host = await here.start();
  const run = await startLong();
  // The script may be quicker than what is written down of it.
  await until('its row says so', async () => (await state(run)) === 'running');
  // Held: it has not taken what is asked for now.
  host.child.kill('SIGSTOP');
  const { run: asked }: Json = await here.json(['run', 'good', '--why', 'just before the end']);
  for (const pid of await here.processes()) process.kill(pid, 'SIGKILL');
  await host.ended;
  expect(await state(run)).toBe('running');
  expect(await here.json(['show', asked])).toMatchObject({ asked: { why: 'just before the end' } });

  const next = await here.start();
  await until('what was asked for is done', async () => (await state(asked)) === 'succeeded');
  // Its shim is gone and left no result: the watch will find it lost, and never forgets it.
  expect((await here.json(['show', run])).attempts).toHaveLength(1);
  await go();
  await until('the orphan ends', async () => (await alive()).length === 0);
  await stop(next);
});

test('Ctrl-C waits for running jobs and starts no more, even when npm passes it on twice', async () => {
  const host = await here.start();
  const run = await startLong();
  host.child.kill('SIGINT');
  host.child.kill('SIGINT');
  await until('it says so', () => host.said().includes('waiting for 1 running job; Ctrl-C again ends it'));
  await here.json(['run', 'good']);
  expect(await state(run)).toBe('running');
  await go();
  const { code, stdout } = await host.ended;
  expect(code).toBe(0);
  expect(stdout).toContain(`${run} succeeded`);
  expect(stdout).toMatch(/stopped\n$/);
  await nothingIsLeft();

  const next = await here.start();
  await until('what was queued meanwhile', async () => (await state('good')) === 'succeeded');
  await stop(next);
});

test('a second Ctrl-C ends the running jobs, and the run says why it failed', async () => {
  const host = await here.start();
  const run = await startLong();
  host.child.kill('SIGINT');
  await until('it waits', () => host.said().includes('waiting for'));
  // Two that are closer together count as one.
  const again = setInterval(() => host.child.kill('SIGINT'), 200);
  const { stdout } = await host.ended;
  clearInterval(again);
  expect(stdout).toContain(`${run} failed`);
  expect(stdout).toContain('stopped before it was done');
  await nothingIsLeft();
});
