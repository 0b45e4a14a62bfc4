import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Names one process for good: process ids are used again, so the start time belongs to it. `4711:203948`. */
export async function processHandle(pid: number): Promise<string> {
  return `${pid}:${await startTime(pid)}`;
}

export function pidOf(handle: string): number {
  return Number(handle.split(':')[0]);
}

/** Whether that very process is still there. */
export async function isAlive(handle: string): Promise<boolean> {
  const started = handle.slice(handle.indexOf(':') + 1);
  return started !== '' && (await startTime(pidOf(handle))) === started;
}

/** Asks it to end; one that has ended already is fine. */
export async function terminate(handle: string): Promise<void> {
  if (!(await isAlive(handle))) return;
  try {
    process.kill(pidOf(handle), 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Opaque; empty when there is no such process, or only its zombie. */
async function startTime(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    // proc(5): the name in parentheses may hold anything; state is field 3, starttime field 22.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  }
  const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return stdout.trim().replaceAll(/\W+/g, '-');
}
