import { execFileSync } from 'node:child_process';
import { delimiter } from 'node:path';

/**
 * Puts the folder of the real Python in front where `python3` on the PATH is a script that looks for it (pyenv): a tenth of
 * a second for each of a thousand starts. Without Python the tests that need it say so.
 */
export function findRealPython(environment: NodeJS.ProcessEnv): void {
  try {
    const code = 'import os, sys; print(os.path.dirname(sys.executable))';
    const folder = execFileSync('python3', ['-c', code], { encoding: 'utf8' }).trim();
    const folders = (environment.PATH ?? '').split(delimiter);
    if (!folders.includes(folder)) environment.PATH = [folder, ...folders].join(delimiter);
  } catch {}
}
