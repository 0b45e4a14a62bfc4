import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { devNull } from 'node:os';
import { promisify } from 'node:util';
import { isRepository } from '../../shared/job/files.ts';

/**
 * Nothing that a repository says may run a program: no bare repository that lies in the folder, no file system monitor,
 * hook, pager or editor, no look into submodules; and no lock is taken.
 */
const harmless = [
  ['safe.bareRepository', 'explicit'],
  ['core.fsmonitor', 'false'],
  ['core.untrackedCache', 'false'],
  ['core.hooksPath', devNull],
  ['core.sshCommand', 'false'],
  ['core.pager', 'cat'],
].flatMap(([key, value]) => ['-c', `${key}=${value}`]);

/** Git on a folder this large answers in a second; on a network that is down it may never. */
const patienceMs = 10_000;

/**
 * Commit of the folder's repository, with `+` when the folder differs from it; null outside a repository, or when git
 * does not answer.
 */
export async function commitOf(folder: string): Promise<string | null> {
  const { GIT_DIR, GIT_WORK_TREE, GIT_EXTERNAL_DIFF, GIT_SSH_COMMAND, ...inherited } = process.env;
  const env = { ...inherited, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_PAGER: 'cat' };
  const git = async (...args: string[]) => {
    const all = ['--no-pager', ...harmless, '-C', folder, ...args];
    const { stdout } = await promisify(execFile)('git', all, { env, timeout: patienceMs, maxBuffer: 1 << 26 });
    return stdout.trim();
  };
  try {
    // Git before 2.38 does not know safe.bareRepository.
    if (isRepository(await readdir(folder))) return null;
    const [commit, changes] = await Promise.all([
      git('rev-parse', '--verify', 'HEAD'),
      git('status', '--porcelain', '--ignore-submodules=all', '--', '.'),
    ]);
    return changes === '' ? commit : `${commit}+`;
  } catch {
    return null;
  }
}
