import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { start, until, World } from '../support/shim/shim.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
});

/** Whether a process with this in its command line is alive. */
function alive(mark: string): boolean {
  return execFileSync('ps', ['-eo', 'stat=,args='])
    .toString()
    .split('\n')
    .some((line) => line.includes(mark) && !line.startsWith('Z'));
}
const mark = () => `mark-${Math.random().toString(36).slice(2)}`;

test('a job beyond its time limit gets SIGTERM, and may still tidy up', async () => {
  const spec = await world.spec(
    `import signal, sys, time
def tidy(*_):
    print('tidied'); sys.exit(0)
signal.signal(signal.SIGTERM, tidy)
time.sleep(60)`,
    { timeoutMs: 500, graceMs: 5_000 },
  );
  const { result, log, ms } = await world.run(spec);
  expect(result).toMatchObject({ outcome: 'timed-out', exitCode: 0, error: { class: 'timeout' } });
  expect(log.ours).toEqual(['time limit of 0.5s reached: SIGTERM to the process group']);
  expect(log.job.toString()).toBe('tidied\n');
  expect(ms).toBeLessThan(4_000);
});

test('a job that ignores SIGTERM is killed after the grace', async () => {
  const spec = await world.spec(
    'import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint("no")\ntime.sleep(60)',
    { timeoutMs: 400, graceMs: 200 },
  );
  const { result, log } = await world.run(spec);
  expect(result).toMatchObject({
    outcome: 'timed-out',
    exitCode: null,
    signal: 'SIGKILL',
    error: { class: 'timeout' },
  });
  expect(log.ours).toHaveLength(2);
  expect(log.ours[1]).toContain('SIGKILL');
});

test('asked to stop, the shim stops the job and delivers a result that says so', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const spec = await world.spec('import time\nprint("here", flush=True)\ntime.sleep(60)', { heartbeatMs: 50 });
    const { child, ended } = start(spec);
    await until(() => world.exists(`${spec.run}/log.txt`));
    child.kill(signal);
    expect((await ended).code).toBe(0);
    const { result, log } = await world.left(spec);
    expect(result).toMatchObject({ outcome: 'stopped', signal: 'SIGTERM' });
    expect(result.error?.message).toContain(signal);
    expect(log.ours).toEqual([`asked to stop (${signal}): SIGTERM to the process group`]);
  }
});

test('nothing that a job started outlives it, not even in a session of its own', async () => {
  const name = mark();
  const spec = await world.spec(`import subprocess, sys, time
code = 'import subprocess, sys, time; subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "${name}"], start_new_session=True); time.sleep(60)'
subprocess.Popen([sys.executable, '-c', code, '${name}'], start_new_session=True)
subprocess.Popen(['sleep', '61'])
time.sleep(0.5)
print('done')`);
  const { result, log, ms } = await world.run(spec);
  expect(result.outcome).toBe('succeeded');
  expect(log.job.toString()).toBe('done\n');
  expect(log.ours[0]).toMatch(/left behind by the job: SIGKILL/);
  expect(alive(name)).toBe(false);
  expect(ms).toBeLessThan(30_000);
});

test('a job that closes its output runs on to its end, and costs no processor time meanwhile', async () => {
  const spec = await world.spec(
    'import os, time\nprint("bye", flush=True)\nos.close(1); os.close(2)\ntime.sleep(2.5)\nos._exit(3)',
    { heartbeatMs: 500 },
  );
  const { child, ended } = start(spec);
  const ticks = () => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  await until(() => world.exists(`${spec.run}/heartbeat`));
  const before = ticks();
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(ticks() - before).toBeLessThan(15); // hundredths of a second; spinning would make it 70
  expect((await ended).code).toBe(0);
  const { result, log } = await world.left(spec);
  expect(result).toMatchObject({ outcome: 'failed', exitCode: 3, error: { class: 'application' } });
  expect(log.job.toString()).toBe('bye\n');
});

test('a failure is reported by its class and its last words', async () => {
  const cases: [string, string, string | RegExp][] = [
    ['import sys; print("half done"); sys.exit(255)', 'application', 'exit code 255: half done'],
    ['{}["email"]', 'application', "KeyError: 'email'"],
    ['import os; os.environ["CRM_API_KEY"]', 'configuration', "KeyError: 'CRM_API_KEY'"],
    ['raise SystemExit("Environment variable CRM_URL is not set")', 'configuration', /CRM_URL/],
    ['def f(:\n  pass', 'syntax', /^SyntaxError/],
    ['import nothing_like_it', 'module', /No module named 'nothing_like_it'/],
    ['raise ConnectionRefusedError(111, "Connection refused")', 'network', /Connection refused/],
    ['import urllib.request; urllib.request.urlopen("http://127.0.0.1:9/")', 'network', /URLError/],
    ['class HTTPError(Exception): pass\nraise HTTPError("429 Client Error: Too Many Requests")', 'throttled', /429/],
    ['class HTTPError(Exception): pass\nraise HTTPError("503 Server Error: for url")', 'server', /503/],
    ['class HTTPError(Exception): pass\nraise HTTPError("HTTP Error 401: Unauthorized")', 'authorization', /401/],
    ['raise ValueError("row 503 is not a number")', 'application', /row 503/],
    [
      'try:\n  1/0\nexcept Exception as e:\n  raise TimeoutError("timed out") from e',
      'network',
      'TimeoutError: timed out',
    ],
    ['raise MemoryError()', 'memory', 'MemoryError'],
    ['import os; os.kill(os.getpid(), 9)', 'killed', /SIGKILL/],
    ['import os; os.kill(os.getpid(), 11)', 'killed', 'killed by SIGSEGV'],
  ];
  for (const [script, errorClass, message] of cases) {
    const { result } = await world.run(await world.spec(script));
    expect(result.outcome).toBe('failed');
    expect([result.error?.class, result.error?.message]).toEqual([
      errorClass,
      typeof message === 'string' ? message : expect.stringMatching(message),
    ]);
  }
});

test('a script, a program or a permission that is missing is named', async () => {
  const cases: [string[], string, RegExp][] = [
    [['python', 'elsewhere.py'], 'module', /can't open file '.*elsewhere\.py'/],
    [['no-such-program'], 'module', /"no-such-program" is not there/],
    [['./main.py'], 'configuration', /chmod \+x \.\/main\.py/],
    [['bin/odd'], 'configuration', /#!/],
    [
      ['bin/old'],
      'module',
      /^"bin\/old" begins with #!\/opt\/python\/bin\/python3 -u, and that interpreter is not there$/,
    ],
    [['bin/windows'], 'configuration', /^"bin\/windows" has line ends of Windows/],
  ];
  for (const [command, errorClass, message] of cases) {
    const program = (data: string) => ({ data, mode: 0o100755 });
    const files = {
      'main.py': 'print(1)',
      'bin/odd': program('no first line'),
      'bin/old': program('#!/opt/python/bin/python3 -u\nprint(1)'),
      'bin/windows': program('#!/bin/sh\r\necho 1\r\n'),
    };
    const { result } = await world.run(await world.spec(files, { command }));
    expect(result.error).toMatchObject({ class: errorClass, message: expect.stringMatching(message) });
  }
});

test('a variable or an argument that is too long for the system is named, without its value', async () => {
  const long = 'x'.repeat(131_072);
  const variable = await world.run(await world.spec('print(1)', { env: { SHORT: 'y', ROWS: long } }));
  expect(variable.result.error?.class).toBe('configuration');
  expect(variable.result.error?.message).toContain('the environment variable ROWS has 131,078 bytes');
  const secret = await world.run(await world.spec('print(1)', { secrets: { KEY: long } }));
  expect(secret.result.error?.message).toContain('the environment variable KEY has 131,077 bytes');
  const argument = await world.run(await world.spec('print(1)', { command: ['python', 'main.py', long] }));
  expect(argument.result.error?.message).toContain('argument 2 has 131,073 bytes');
  for (const { result, log } of [variable, secret, argument])
    expect(JSON.stringify([result, log.ours])).not.toContain('xxxx');
});
