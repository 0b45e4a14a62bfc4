import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { errorKinds } from '../../shared/run/attempt.ts';
import { python, shim, World } from '../support/shim/shim.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
});

const failed = async (script: string) => (await world.run(await world.spec(script))).result.error;

test('the same failure has the same fingerprint in another run, with other data and other lines; another one has not', async () => {
  const fails = (before: string, row: number, raise = 'ValueError(f"row {n} has no e-mail")') =>
    failed(`${before}import sys
def score(n):
    raise ${raise}
score(${row})`);
  const [first, moved, otherType, otherPlace] = [
    await fails('', 17),
    await fails('# a new first line\n\n', 4711),
    await fails('', 17, 'KeyError(n)'),
    await failed('def load():\n    raise ValueError("row 17 has no e-mail")\nload()'),
  ];
  expect(first?.fingerprint).toMatch(/^[0-9a-f]{16}$/);
  expect(moved?.fingerprint).toBe(first?.fingerprint);
  expect(new Set([first, otherType, otherPlace].map((error) => error?.fingerprint)).size).toBe(3);
  const exits = (text: string) => failed(`import sys; sys.exit(${JSON.stringify(text)})`);
  expect((await exits('812 rows, expected at least 1000'))?.fingerprint).toBe(
    (await exits('7 rows, expected at least 1000'))?.fingerprint,
  );
});

test('an error of a dependency names its host, and one of the job does not', async () => {
  const pool = `ConnectionError("HTTPSConnectionPool(host='CRM.contoso.com', port=443): Max retries exceeded")`;
  expect(await failed(`raise ${pool}`)).toMatchObject({ class: 'network', host: 'crm.contoso.com' });
  const chained = `try: raise ${pool}\nexcept Exception as e: raise RuntimeError("sync failed") from e`;
  expect(await failed(chained)).toMatchObject({ class: 'network', host: 'crm.contoso.com' });
  const help = 'raise ValueError("see https://docs.contoso.com/errors")';
  expect(await failed(help)).not.toHaveProperty('host');
  const login =
    'raise RuntimeError("401 Client Error: Unauthorized for url: https://user:pw@erp.contoso.com:8443/x?y")';
  expect(await failed(login)).toMatchObject({ class: 'authorization', host: 'erp.contoso.com' });
});

test('an exception group carries the classes of its parts, and its message names them', async () => {
  const error = await failed(
    'raise ExceptionGroup("batch", [ValueError("row 17"), ConnectionError("gone"), KeyError("x")])',
  );
  expect(error).toMatchObject({
    class: 'application',
    kind: 'exception-group',
    parts: ['application', 'network'],
    message: "ExceptionGroup: batch (3 sub-exceptions): ValueError: row 17; ConnectionError: gone; KeyError: 'x'",
  });
});

test('what was raised while a group was handled counts, and not the parts of that group', async () => {
  const tasks = `import asyncio, urllib.error
async def mirror(): raise TimeoutError('timed out')
async def fetch():
    try:
        async with asyncio.TaskGroup() as group: group.create_task(mirror())
    except* TimeoutError:
        raise urllib.error.HTTPError('http://x', 401, 'Unauthorized', {}, None)
async def main():
    async with asyncio.TaskGroup() as group: group.create_task(fetch())
asyncio.run(main())`;
  const error = await failed(tasks);
  expect(error).toMatchObject({ class: 'authorization', parts: ['authorization'] });
  expect(error?.message).toMatch(/: urllib.error.HTTPError: HTTP Error 401: Unauthorized$/);
  // From Python 3.12 on, a single exception raised in `except*` is not put into a group of its own.
  const handled = (raise: string) =>
    failed(`def step():
    try: raise ExceptionGroup('rows', [TimeoutError('slow')])
    except* TimeoutError as e: ${raise}
try: step()
except Exception as e: raise ExceptionGroup('steps', [e]) from None`);
  expect(await handled("raise RuntimeError('cleanup failed')")).toMatchObject({
    message: expect.stringMatching(/^ExceptionGroup: steps .*\): RuntimeError: cleanup failed$/),
    parts: ['application'],
  });
  expect(await handled("raise RuntimeError('no answer') from e")).toMatchObject({
    message: expect.stringMatching(/^ExceptionGroup: steps .*\): RuntimeError: no answer$/),
    class: 'network',
    parts: ['network'],
  });
  const twice = "raise ExceptionGroup('second', [ConnectionError('gone'), KeyError('k')])";
  expect(await handled(twice)).toMatchObject({
    message: expect.stringMatching(/second \(2 sub-exceptions\): ConnectionError: gone; KeyError: 'k'$/),
    parts: ['network', 'application'],
  });
});

test('the parts of a group that are not named are counted as Python counts them', async () => {
  const batch = (text: string, count: number) =>
    failed(`raise ExceptionGroup('batch', [ValueError(${text}) for i in range(${count})])`);
  expect((await batch("f'row {i}'", 40))?.message).toMatch(
    /batch \(40 sub-exceptions\): .*; ValueError: row 4; and 35 more$/,
  );
  const long = (await batch("f'row {i}' + 4000 * 'x'", 15))?.message ?? '';
  const named = long.match(/ValueError: row/g)?.length ?? 0;
  expect(long).toMatch(/batch \(15 sub-exceptions\): /);
  expect(long.endsWith(`and ${15 - named} more`)).toBe(true);
});

test('a message of 300 lines or 160,000 characters gives its first line, and details that show its beginning', async () => {
  const many = await failed(
    `raise ValueError("300 validation errors for Prospect\\n" + "\\n".join(f"rows.{i}.balance\\n  Input should be a valid integer" for i in range(300)))`,
  );
  expect(many?.message).toBe('ValueError: 300 validation errors for Prospect');
  expect(many?.detail).toContain('rows.0.balance');
  const long = await failed(`class OperationalError(Exception): pass
raise OperationalError("server closed the connection unexpectedly\\n\\n[SQL: INSERT " + "(%(a)s), " * 16000 + "]\\n(Background on this error)")`);
  expect(long?.message).toBe('OperationalError: server closed the connection unexpectedly');
  expect(Buffer.byteLength(long?.detail ?? '')).toBeLessThanOrEqual(4_096);
  const line = await failed('raise ValueError("x" * 100_000)');
  expect(line?.message).toHaveLength(1_000);
  expect(line?.message.endsWith('…')).toBe(true);
});

test.each<[string, string, string | undefined]>([
  [
    'a thread that died',
    'import threading\ndef f(): raise ValueError("thread died")\nt = threading.Thread(target=f); t.start(); t.join(); print("main fine")',
    'ValueError: thread died',
  ],
  [
    'an error that was printed and passed over',
    'import traceback\ntry: 1/0\nexcept Exception: traceback.print_exc()\nprint("done")',
    'ZeroDivisionError: division by zero',
  ],
  [
    'an error logged at the very end',
    'import logging\ntry: 1/0\nexcept Exception: logging.exception("failed")',
    'ZeroDivisionError: division by zero',
  ],
  [
    'a step that failed unseen',
    'import subprocess, sys\nsubprocess.run([sys.executable, "-c", "import nothing_like_it"])\nprint("done")',
    "ModuleNotFoundError: No module named 'nothing_like_it'",
  ],
  [
    'a task that no one awaited',
    'import asyncio\nasync def f(): raise ValueError("task died")\nasync def main():\n    t = asyncio.create_task(f()); await asyncio.sleep(0.05); del t\n    print("done")\nasyncio.run(main())',
    'ValueError: task died',
  ],
  [
    'far back in a long log',
    'import threading\ndef f(): raise ValueError("early")\nt = threading.Thread(target=f); t.start(); t.join()\nfor i in range(20000): print("row", i)',
    'ValueError: early',
  ],
  [
    'an error that was logged and made up for',
    'import logging\ntry: 1/0\nexcept Exception: logging.exception("mirror 1 failed, trying mirror 2")\nprint("812 rows")',
    undefined,
  ],
  [
    'words of a traceback without one',
    'print("Traceback (most recent call last): see the log"); print("done")',
    undefined,
  ],
])('exit code 0 with %s', async (_, script, message) => {
  const { result } = await world.run(await world.spec(script));
  expect([result.outcome, result.error, result.suspect?.message]).toEqual(['succeeded', null, message]);
});

test('every kind that the shim writes is one that the service knows', () => {
  const code = `import re, sys, pathlib
found = set()
for name in ('kinds', 'codes', 'classify'):
    text = (pathlib.Path(sys.argv[1]) / (name + '.py')).read_text()
    found |= set(re.findall(r"'([a-z]+(?:-[a-z0-9]+)+)'", text))
print(' '.join(sorted(found - {'utf-8'})))`;
  const ran = spawnSync(python, ['-c', code, shim], { encoding: 'utf8' });
  const kinds = ran.stdout.trim().split(' ');
  expect(kinds.length).toBeGreaterThan(15);
  expect(kinds.filter((kind) => !(errorKinds as readonly string[]).includes(kind))).toEqual([]);
});

test('what is kept to find a cause is the same however the output is cut, and bounded', () => {
  const code = `import random, sys
sys.path.insert(0, sys.argv[1])
from lamplighter_shim.evidence import Evidence, GAP
from lamplighter_shim.raised import blocks_of
trace = 'Traceback (most recent call last):\\n  File "main.py", line 3, in <module>\\nValueError: number %d\\n'
for seed in range(60):
    r = random.Random(seed)
    text = ''.join((trace % i if r.random() < 0.4 else '') + 'a line\\n' * r.choice((0, 3, 400, 4000)) for i in range(8)).encode()
    whole = Evidence(); whole.add(text)
    cut = Evidence()
    at = 0
    while at < len(text):
        size = r.choice((1, 7, 33, 100, 5000, 70000))
        cut.add(text[at : at + size]); at += size
    assert len(whole.text()) < 6 * 16 * 1024 and len(cut.text()) < 6 * 16 * 1024
    names = [[b.raised.headline for b in blocks_of(e.text().split('\\n'))] for e in (whole, cut)]
    assert whole.traced == (b'Traceback' in text) and names[0][-1:] == names[1][-1:] and names[0][:1] == names[1][:1], (seed, names)
many = Evidence()
import time
began = time.process_time()
many.add((trace % 1).encode() * 200_000)
assert time.process_time() - began < 2, 'slow for many tracebacks'
print('all good')`;
  const ran = spawnSync(python, ['-', dirname(shim)], { input: code, encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  expect(ran.stdout).toBe('all good\n');
});
