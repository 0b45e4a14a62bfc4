import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Answer } from '../../../cli/deploy/run.ts';

/** What a program answers when it is called with exactly these words. */
export interface Scripted {
  /** Words joined by blanks, the program's name first. */
  line: string;
  stdout?: unknown;
  stderr?: string;
  code?: number;
  /** Variables that must be set so, for the call to be known. */
  env?: Record<string, string>;
  /** Below the root; the root unless said. */
  folder?: string;
  /** Text that the call writes to files below the root. */
  writes?: Record<string, string>;
}

/** Answers as the script below `root` says, and notes the call; 99 is the exit code of every call that it does not hold. */
export function play(root: string, line: string, folder: string, environment: NodeJS.ProcessEnv): Answer {
  const world = JSON.parse(readFileSync(join(root, 'world.json'), 'utf8')) as Scripted[];
  const fits = (one: Scripted) =>
    one.line === line &&
    (one.folder ?? '') === relative(root, folder) &&
    Object.entries(one.env ?? {}).every(([name, value]) => environment[name] === value);
  const before = readFileSync(join(root, 'calls'), 'utf8')
    .split('\n')
    .filter((one) => one === line).length;
  appendFileSync(join(root, 'calls'), `${line}\n`);
  const answers = world.filter(fits);
  const answer = answers[Math.min(before, answers.length - 1)];
  if (!answer) {
    const set = Object.entries(environment).filter(([name]) => /^(LAMPLIGHTER|FUNCTIONS)_/.test(name));
    return { code: 99, stdout: '', stderr: `unexpected call: ${line} in ${folder} with ${JSON.stringify(set)}\n` };
  }
  for (const [name, text] of Object.entries(answer.writes ?? {})) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const { stdout = '', stderr = '', code = 0 } = answer;
  return { code, stdout: typeof stdout === 'string' ? stdout : JSON.stringify(stdout), stderr };
}

if (import.meta.main) {
  const [root = '', ...words] = process.argv.slice(2);
  const { code, stdout, stderr } = play(root, words.join(' '), process.cwd(), process.env);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
}
