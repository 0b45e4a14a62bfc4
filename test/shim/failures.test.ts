import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { errorClass, errorKinds } from '../../shared/run/attempt.ts';
import { python, shim } from '../support/shim/shim.ts';

const here = join(import.meta.dirname, 'failures');
const line = z.object({
  name: z.string(),
  expected: z.tuple([z.string(), z.string()]),
  pattern: z.string(),
  found: z.tuple([errorClass, z.enum(errorKinds)]),
  message: z.string().max(1_000),
  parts: z.array(errorClass),
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
  host: z.string().nullable(),
  output: z.string(),
});
type Line = z.infer<typeof line>;
const limit = { timeout: 300_000 };

/** Runs the failures that this Python has the packages for, and prints the table of classes expected and found. */
async function run(program: string, ...which: string[]): Promise<Line[]> {
  const args = [join(here, 'run.py'), dirname(shim), ...which];
  const { stdout, stderr } = await promisify(execFile)(program, args, { maxBuffer: 1 << 28 });
  console.log(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((text) => line.parse(JSON.parse(text)));
}

/** What is not as expected, with what the failure printed. */
function wrong(lines: Line[]): string[] {
  return lines
    .filter(({ expected, found, pattern, message }) => {
      const kind = expected[1] === '' || expected[1] === found[1];
      return expected[0] !== found[0] || !kind || !new RegExp(pattern).test(message);
    })
    .map(({ name, expected, found, message, output }) => `${name}: ${expected} is ${found}: ${message}\n${output}`);
}

test(
  'failures of the standard library, own exits, chains and groups are classed by their true cause',
  limit,
  async () => {
    const lines = await run(python);
    expect(wrong(lines)).toEqual([]);
    expect(lines.length).toBeGreaterThan(75);
  },
);

const packaged = await interpreter();

test.skipIf(packaged === undefined)(
  'failures of the libraries that jobs use are classed by their true cause (needs their packages: LAMP_FAILURES_PYTHON)',
  limit,
  async () => {
    const lines = await run(packaged as string, 'packages');
    expect(wrong(lines)).toEqual([]);
    expect(lines.length).toBeGreaterThan(50);
    const hosts = new Map(lines.map(({ name, host }) => [name, host]));
    expect(hosts.get('requests name')).toBe('no-such-host.invalid');
    expect(hosts.get('requests 503')).toBe('127.0.0.1');
    expect(hosts.get('pydantic')).toBeNull();
  },
);

/** A Python with the packages: the one that is named, or in CI one made once. undefined: a user's machine has none. */
async function interpreter(): Promise<string | undefined> {
  if (process.env.LAMP_FAILURES_PYTHON) return process.env.LAMP_FAILURES_PYTHON;
  if (!process.env.CI) return undefined;
  const wanted = await readFile(join(here, 'requirements.txt'), 'utf8');
  const folder = join(import.meta.dirname, '../../node_modules/.cache/failures');
  const [made, program] = [join(folder, 'made'), join(folder, 'bin', 'python')];
  if (existsSync(made) && (await readFile(made, 'utf8')) === wanted) return program;
  await mkdir(dirname(folder), { recursive: true });
  execFileSync(python, ['-m', 'venv', '--clear', folder]);
  const install = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    join(here, 'requirements.txt'),
  ];
  execFileSync(program, install, { stdio: 'inherit', timeout: 280_000 });
  await writeFile(made, wanted);
  return program;
}
