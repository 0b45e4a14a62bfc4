import { format, stripVTControlCharacters } from 'node:util';
import { CommanderError } from 'commander';
import { exitOf, explain } from '../../../cli/explain.ts';
import type { Flags, Here } from '../../../cli/here.ts';
import { lampProgram } from '../../../cli/program.ts';

export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs one command line within this process, as `cli/main.ts` does. One at a time: the console is one. */
export async function call(args: readonly string[], make: (flags: Flags) => Here): Promise<Said> {
  const texts = { stdout: '', stderr: '' };
  const restore = [taken(console, 'log', (...values) => add('stdout', `${format(...values)}\n`))];
  for (const name of ['error', 'warn'] as const) {
    restore.push(taken(console, name, (...values) => add('stderr', `${format(...values)}\n`)));
  }
  for (const name of ['stdout', 'stderr'] as const) {
    restore.push(
      taken(process[name], 'write', (text) => {
        add(name, String(text));
        return true;
      }),
    );
  }
  function add(name: 'stdout' | 'stderr', text: string) {
    texts[name] += stripVTControlCharacters(text);
  }
  process.exitCode = 0;
  let code = 0;
  try {
    await lampProgram(make, (error) => {
      throw error;
    }).parseAsync([...args], { from: 'user' });
    code = Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) code = error.exitCode === 0 ? 0 : 2;
    else {
      add('stderr', `${explain(error)}\n`);
      code = exitOf(error);
    }
  } finally {
    for (const one of restore.reverse()) one();
    process.exitCode = 0;
  }
  return { code, ...texts };
}

/** Puts a function in the place of a method. @returns what puts the method back */
function taken<T extends object, K extends keyof T>(of: T, name: K, instead: (...values: unknown[]) => unknown) {
  const before = of[name];
  of[name] = instead as T[K];
  return () => {
    of[name] = before;
  };
}
