import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
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
  // What a partial clone lacks would be fetched, by a program that its configuration names.
  ['protocol.allow', 'never'],
].flatMap(([key, value]) => ['-c', `${key}=${value}`]);

/** Git on a folder this large answers in a second; on a network that is down it may never. */
const patienceMs = 10_000;

/**
 * Commit of the folder's repository, with `+` when the folder differs from it; null outside a repository, or when git
 * does not answer.
 */
export async function commitOf(folder: string): Promise<string | null> {
  const { GIT_DIR, GIT_WORK_TREE, GIT_EXTERNAL_DIFF, GIT_SSH_COMMAND, ...inherited } = process.env;
  const env: NodeJS.ProcessEnv = {
    ...inherited,
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_PAGER: 'cat',
    GIT_NO_LAZY_FETCH: '1',
  };
  const git = async (...args: string[]) => {
    const all = ['--no-pager', ...harmless, '-C', folder, ...args];
    const { stdout } = await promisify(execFile)('git', all, { env, timeout: patienceMs, maxBuffer: 1 << 26 });
    return stdout.trim();
  };
  try {
    // Git before 2.38 does not know safe.bareRepository.
    if (isRepository(await readdir(folder)) || !isWithin(await realpath(folder))) return null;
    // Comparing a file runs the filter that its .gitattributes name, as the repository's own configuration has it.
    const named = await git('config', '--show-scope', '--name-only', '-z', '--get-regexp', '^filter\\.').catch(
      (error) => {
        // There is none.
        if (error.code === 1) return '';
        throw error;
      },
    );
    Object.assign(env, withoutFilters(named.split('\0')));
    const said = await git(
      'status',
      '--porcelain=v2',
      '--branch',
      '--no-ahead-behind',
      '--ignore-submodules=all',
      '--',
      '.',
    );
    const [, commit] = /^# branch\.oid ([0-9a-f]+)$/m.exec(said) ?? [];
    // Before the first commit it says "(initial)".
    if (commit === undefined) return null;
    return said.split('\n').every((line) => line.startsWith('# ')) ? commit : `${commit}+`;
  } catch {
    return null;
  }
}

/** Whether git would look into a repository from here: elsewhere it need not be started. */
function isWithin(folder: string): boolean {
  if (existsSync(join(folder, '.git'))) return true;
  const above = dirname(folder);
  return above !== folder && isWithin(above);
}

/**
 * As variables, for a filter may be called anything. Those of the user and of the machine stay.
 * @param named scope, key, scope, key …
 */
function withoutFilters(named: readonly string[]): NodeJS.ProcessEnv {
  const names = new Set<string>();
  for (let at = 0; at + 1 < named.length; at += 2) {
    const own = named[at] === 'local' || named[at] === 'worktree';
    const [, name] = /^filter\.([\s\S]+)\.[^.]+$/.exec(named[at + 1] ?? '') ?? [];
    if (own && name !== undefined) names.add(name);
  }
  const settings = [...names].flatMap((name) => [
    [`filter.${name}.clean`, ''],
    [`filter.${name}.process`, ''],
    [`filter.${name}.required`, 'false'],
  ]);
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(settings.length)],
    ...settings.flatMap(([key, value], at) => [
      [`GIT_CONFIG_KEY_${at}`, key],
      [`GIT_CONFIG_VALUE_${at}`, value],
    ]),
  ]);
}
