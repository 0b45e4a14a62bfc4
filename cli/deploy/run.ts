import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Refusal } from '../refusal.ts';
import { type Command, cmdText, commandText } from './command.ts';

export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs one command to its end. What it printed may hold a token or a setting: the one that asked decides what to show. */
export type Run = (command: Command) => Promise<Answer>;

export interface RunOptions {
  /** Where commands are run that name no folder of their own. */
  root: string;
  environment?: NodeJS.ProcessEnv;
  /** Gets each command before it is run. */
  say: (line: string) => void;
  /** Gets what long commands print, as they print it. */
  pass?: (text: string) => void;
}

/** Runs programs of this machine. @throws Refusal when a program is not installed */
export function processRun({ root, environment = process.env, say, pass = () => {} }: RunOptions): Run {
  return (command) => {
    say(`$ ${commandText(command)}`);
    const [name, ...args] = command.argv;
    const path = findProgram(name, environment);
    if (path === undefined) throw new Refusal(missing[name] ?? `${name} is not installed, or not on PATH.`);
    const options = {
      cwd: command.folder ? join(root, command.folder) : root,
      env: { ...environment, ...command.env },
    };
    const child = /\.(cmd|bat)$/i.test(path)
      ? spawn(environment.ComSpec ?? 'cmd.exe', ['/d', '/s', '/c', `"${cmdText([path, ...args])}"`], {
          ...options,
          windowsVerbatimArguments: true,
        })
      : spawn(path, args, options);
    // A command that waits for an answer would wait for ever: no one sees its question.
    child.stdin.end();
    const texts = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        texts[stream] += text;
        if (command.live && (stream === 'stderr' || command.live === 'all')) pass(text);
      });
    }
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code: code ?? 1, ...texts }));
    });
  };
}

/** Programs of Azure come as .cmd files on Windows, which are found only by name and ending. */
function findProgram(name: string, environment: NodeJS.ProcessEnv): string | undefined {
  const windows = process.platform === 'win32';
  const endings = windows ? (environment.PATHEXT ?? '.EXE;.CMD;.BAT').split(';') : [''];
  for (const folder of (environment.PATH ?? environment.Path ?? '').split(delimiter)) {
    for (const ending of endings) {
      const path = join(folder, name + ending);
      if (folder !== '' && isProgram(path)) return path;
    }
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const missing: Record<string, string> = {
  az: 'az (the Azure CLI) is not installed, or not on PATH. Install it (https://aka.ms/azure-cli), then: az login',
  func:
    'func (Azure Functions Core Tools) is not installed, or not on PATH. ' +
    'Install version 4: npm install --global azure-functions-core-tools@4',
  docker: 'docker is not installed, or not on PATH. Without --builder docker the registry builds the image itself.',
};
