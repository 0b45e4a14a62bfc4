import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandText } from '../../../cli/deploy/command.ts';
import { processRun, type Run, type RunOptions } from '../../../cli/deploy/run.ts';
import { play, type Scripted } from './play.ts';

export type { Scripted };

export interface Tools {
  root: string;
  environment: Record<string, string>;
  /** Sets what is answered; several answers to the same line are given one after another, the last one for ever. */
  script(answers: Scripted[]): Promise<void>;
  /** As {@link processRun} over these programs, without a process for each call: those take a tenth of a second. */
  run(options: RunOptions): Run;
  /** The calls so far, as lines. */
  calls(): Promise<string[]>;
  /** Removes a program from PATH. */
  without(program: string): Promise<void>;
  clean(): Promise<void>;
}

/** For a program that gets an environment of its own: where what Node has compiled is kept. */
export const compiled = `NODE_COMPILE_CACHE='${process.env.NODE_COMPILE_CACHE ?? ''}'`;

/** An empty repository, and az, func, docker and npm that know only the calls of a script. */
export async function azureTools(programs = ['az', 'func', 'docker', 'npm']): Promise<Tools> {
  const root = await mkdtemp(join(tmpdir(), 'lamp-azure-'));
  const bin = join(root, 'bin');
  const log = join(root, 'calls');
  await mkdir(bin);
  await writeFile(log, '');
  const player = join(import.meta.dirname, 'play.ts');
  for (const program of programs) {
    await writeFile(
      join(bin, program),
      `#!/bin/sh\n${compiled} exec '${process.execPath}' '${player}' '${root}' ${program} "$@"\n`,
    );
    await chmod(join(bin, program), 0o755);
  }
  return {
    root,
    environment: { PATH: bin },
    script: (answers) => writeFile(join(root, 'world.json'), JSON.stringify(answers)),
    run: (options) => inProcess(bin, options),
    calls: async () => (await readFile(log, 'utf8')).split('\n').filter((line) => line !== ''),
    without: (program) => rm(join(bin, program)),
    clean: () => rm(root, { recursive: true, force: true }),
  };
}

function inProcess(bin: string, options: RunOptions): Run {
  const { root, environment = process.env, say, pass = () => {} } = options;
  return async (command) => {
    const { argv, folder, env, live } = command;
    // How a program that is missing is reported is no matter of the script.
    if (!existsSync(join(bin, argv[0]))) return processRun(options)(command);
    say(`$ ${commandText(command)}`);
    const answer = play(root, argv.join(' '), folder ? join(root, folder) : root, { ...environment, ...env });
    if (live && answer.stderr) pass(answer.stderr);
    if (live === 'all' && answer.stdout) pass(answer.stdout);
    return answer;
  };
}
