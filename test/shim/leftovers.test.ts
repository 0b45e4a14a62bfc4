import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { start, until, World } from '../support/shim/shim.ts';

let world: World;
let folder: string;
beforeAll(async () => {
  world = await World.create();
  folder = await mkdtemp(join(tmpdir(), 'leftovers-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

// Most of these tests wait, so they wait together.

/** Makes shared memory and leaves it behind; then goes on as `then` says. */
const leaks = (then: string) => `import os, time
from multiprocessing import shared_memory
s = shared_memory.SharedMemory(create=True, size=1_000_000)
print(s.name, flush=True)
${then}`;

test.concurrent.each([
  ['ends well', 'pass', 'succeeded'],
  ['crashes', 'raise RuntimeError("crash before unlink")', 'failed'],
  ['is killed', 'os.kill(os.getpid(), 9)', 'failed'],
  ['is beyond its limit', 'time.sleep(60)', 'timed-out'],
  [
    'ignores SIGTERM',
    'import signal; signal.signal(15, signal.SIG_IGN)\nif os.fork() == 0: time.sleep(60)\ntime.sleep(60)',
    'timed-out',
  ],
])('nothing stays in shared memory of a job that %s, and it is not blamed for what ends by itself', async (_, then, outcome) => {
  const timeoutMs = outcome === 'timed-out' ? 800 : 20_000;
  const { result, log } = await world.run(await world.spec(leaks(then), { timeoutMs }));
  expect(result.outcome).toBe(outcome);
  const name = /psm_\w+/.exec(log.job.toString())?.[0] as string;
  expect(existsSync(join('/dev/shm', name))).toBe(false);
  expect(log.ours.join()).not.toContain('left behind');
  if (outcome === 'failed') expect(result.error?.message).toMatch(/crash before unlink|SIGKILL/);
});

test.concurrent.each([
  [
    'a manager of shared memory',
    `import os
from multiprocessing import managers, shared_memory
manager = managers.SharedMemoryManager()
manager.start()
s = shared_memory.SharedMemory(create=True, size=5_000_000)
print(s.name, flush=True)
os._exit(0)`,
    null,
  ],
  [
    'a worker as it crashes',
    leaks(
      'import multiprocessing, signal\nmultiprocessing.Process(target=signal.pause).start()\nos.kill(os.getpid(), 11)',
    ),
    'killed by SIGSEGV',
  ],
  [
    'a program that has a session and shared memory of its own',
    `import os, subprocess, sys
program = ${JSON.stringify(leaks('time.sleep(60)'))}
p = subprocess.Popen([sys.executable, '-c', program], start_new_session=True, stdout=subprocess.PIPE, text=True)
print(p.stdout.readline())`,
    null,
  ],
])('nothing stays in shared memory of a job that leaves behind %s', async (_, script, message) => {
  const { result, log } = await world.run(await world.spec(script));
  expect(result.error?.message ?? null).toBe(message);
  const name = /psm_\w+/.exec(log.job.toString())?.[0] as string;
  expect(existsSync(join('/dev/shm', name))).toBe(false);
  expect(log.ours).toEqual(['1 process left behind by the job: SIGKILL']);
});

test.concurrent('what a job leaves behind may end within a second, what it writes is kept, and what lasts is killed', async () => {
  const spec = await world.spec(`import subprocess
subprocess.Popen(['sh', '-c', 'sleep 0.2; echo tidied'], start_new_session=True)
subprocess.Popen(['sh', '-c', 'sleep 0.1; echo closed'])`);
  const { log } = await world.run(spec);
  expect(log.job.toString()).toBe('closed\ntidied\n');
  expect(log.ours).toEqual([]);
  const lasting = await world.run(await world.spec('import subprocess; subprocess.Popen(["sleep", "60"])'));
  expect(lasting.log.ours).toEqual(['1 process left behind by the job: SIGKILL']);
  expect(lasting.ms).toBeLessThan(10_000);
});

test.concurrent('the work directory of a killed shim is removed by a later one; one in use and one of others stay', async ({
  onTestFinished,
}) => {
  const temporary = await mkdtemp(join(folder, 'tmp-'));
  const env = { TMPDIR: temporary };
  const spec = await world.spec('import time\nprint("here", flush=True)\ntime.sleep(60)', { heartbeatMs: 50 });
  const killed = start(spec, env);
  // The heart beats before the job has begun; its first line is there when it has.
  await until(() => world.exists(`${spec.run}/log.txt`));
  killed.child.kill('SIGKILL');
  await killed.ended;
  const [left] = await readdir(temporary);
  const old = new Date(Date.now() - 120_000);
  await utimes(join(temporary, left as string), old, old);
  const live = await world.spec('import time\nprint("here", flush=True)\ntime.sleep(60)', { heartbeatMs: 50 });
  const living = start(live, env);
  onTestFinished(() => void living.child.kill('SIGKILL'));
  await until(() => world.exists(`${live.run}/log.txt`));
  const [used] = (await readdir(temporary)).filter((name) => name !== left);
  await utimes(join(temporary, used as string), old, old);
  await mkdir(join(temporary, 'other'));

  // The job of the killed shim still runs in it.
  await world.run(await world.spec('print(1)'), env);
  expect((await readdir(temporary)).sort()).toEqual([left, used, 'other'].sort());
  await endJobsIn(join(temporary, left as string));
  await utimes(join(temporary, left as string), old, old);
  await world.run(await world.spec('print(1)'), env);
  expect((await readdir(temporary)).sort()).toEqual([used, 'other'].sort());
  living.child.kill('SIGTERM');
  expect((await living.ended).code).toBe(0);
  expect(await readdir(temporary)).toEqual(['other']);
});

/** Ends the processes that work below a folder. */
async function endJobsIn(root: string): Promise<void> {
  const { readlinkSync } = await import('node:fs');
  await until(async () => {
    let left = 0;
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        if (!readlinkSync(`/proc/${name}/cwd`).startsWith(root)) continue;
        left += 1;
        process.kill(Number(name), 'SIGKILL');
      } catch {
        // It has ended meanwhile, or is of another user.
      }
    }
    return left === 0;
  });
}

test.concurrent('a nudge is tried again while the service is starting, a few times, and a refusal ends it', async ({
  onTestFinished,
}) => {
  const answers = [503, 0, 202];
  let count = 0;
  const server = createServer((request, response) => {
    request.resume();
    const status = answers[count++] ?? 500;
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const nudge = `http://127.0.0.1:${(server.address() as { port: number }).port}/finish`;
  expect((await start(await world.spec('print(1)', { nudge })).ended).code).toBe(0);
  expect(count).toBe(3);
  count = 0;
  answers.splice(0, 3, 401);
  expect((await start(await world.spec('print(1)', { nudge })).ended).code).toBe(0);
  expect(count).toBe(1);
  count = 0;
  answers.splice(0, 1);
  const { code, ms } = await start(await world.spec('print(1)', { nudge })).ended;
  expect([code, count]).toEqual([0, 5]);
  expect(ms).toBeLessThan(20_000);
});

test.concurrent('a heartbeat says that the job is over and its results are on their way', async () => {
  const spec = await world.spec('import time; time.sleep(1.5)', { heartbeatMs: 300 });
  await world.run(spec);
  expect((await world.read(`${spec.run}/heartbeat`)).toString()).toBe('{"delivering":true}');
});

test.concurrent('JSON that is no table is kept without a word; what is broken is reported', async () => {
  const spec = await world.spec(
    `import json
json.dump({'total': 3}, open('report.json', 'w')); json.dump([1, 2], open('list.json', 'w')); json.dump(42, open('scalar.json', 'w'))
json.dump([], open('none.json', 'w')); open('bad.json', 'w').write('{"total"')
open('events.jsonl', 'w').write('"started"\\n"ended"\\n')`,
    { outputs: ['report.json', 'list.json', 'scalar.json', 'none.json', 'bad.json', 'events.jsonl'] },
  );
  const { result } = await world.run(spec);
  expect(result.outputs.map(({ path, problem, profile }) => [path, problem?.slice(0, 12), profile?.rows])).toEqual([
    ['report.json', undefined, undefined],
    ['list.json', undefined, undefined],
    ['scalar.json', undefined, undefined],
    ['none.json', undefined, 0],
    ['bad.json', 'not profiled', undefined],
    ['events.jsonl', undefined, undefined],
  ]);
});
