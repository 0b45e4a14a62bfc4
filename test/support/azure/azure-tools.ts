import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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

export interface Tools {
  root: string;
  environment: Record<string, string>;
  /** Sets what is answered; several answers to the same line are given one after another, the last one for ever. */
  script(answers: Scripted[]): Promise<void>;
  /** The calls so far, as lines. */
  calls(): Promise<string[]>;
  /** Removes a program from PATH. */
  without(program: string): Promise<void>;
  clean(): Promise<void>;
}

/** An empty repository, and az, func, docker and npm that know only the calls of a script. */
export async function azureTools(programs = ['az', 'func', 'docker', 'npm']): Promise<Tools> {
  const root = await mkdtemp(join(tmpdir(), 'lamp-azure-'));
  const bin = join(root, 'bin');
  const log = join(root, 'calls');
  const world = join(root, 'world.json');
  await mkdir(bin);
  await writeFile(log, '');
  await writeFile(join(bin, 'play.mjs'), player(root));
  for (const program of programs) {
    await writeFile(join(bin, program), `#!/bin/sh\nexec '${process.execPath}' '${bin}/play.mjs' ${program} "$@"\n`);
    await chmod(join(bin, program), 0o755);
  }
  return {
    root,
    environment: { PATH: bin },
    script: (answers) => writeFile(world, JSON.stringify(answers)),
    calls: async () => (await readFile(log, 'utf8')).split('\n').filter((line) => line !== ''),
    without: (program) => rm(join(bin, program)),
    clean: () => rm(root, { recursive: true, force: true }),
  };
}

/** A program that answers as the script says, and ends with 99 for every call that the script does not hold. */
function player(root: string): string {
  return `
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
const root = ${JSON.stringify(root)};
const line = process.argv.slice(2).join(' ');
const world = JSON.parse(readFileSync(join(root, 'world.json'), 'utf8'));
const fits = (one) => one.line === line && (one.folder ?? '') === relative(root, process.cwd()) &&
  Object.entries(one.env ?? {}).every(([name, value]) => process.env[name] === value);
const before = readFileSync(join(root, 'calls'), 'utf8').split('\\n').filter((one) => one === line).length;
appendFileSync(join(root, 'calls'), line + '\\n');
const answers = world.filter(fits);
const answer = answers[Math.min(before, answers.length - 1)];
if (!answer) {
  const set = Object.entries(process.env).filter(([name]) => /^(LAMPLIGHTER|FUNCTIONS)_/.test(name));
  process.stderr.write('unexpected call: ' + line + ' in ' + process.cwd() + ' with ' + JSON.stringify(set) + '\\n');
  process.exit(99);
}
for (const [name, text] of Object.entries(answer.writes ?? {})) {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}
const out = answer.stdout ?? '';
process.stdout.write(typeof out === 'string' ? out : JSON.stringify(out));
process.stderr.write(answer.stderr ?? '');
process.exitCode = answer.code ?? 0;
`;
}
