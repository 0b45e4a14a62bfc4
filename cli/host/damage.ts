import { execFile } from 'node:child_process';
import { setPriority } from 'node:os';

/** Reads the whole file: seconds for a gigabyte. */
const look = `
import { DatabaseSync } from 'node:sqlite';
const db = new DatabaseSync(process.argv[1], { readOnly: true });
console.log(Object.values(db.prepare('PRAGMA quick_check(1)').get())[0]);`;

/**
 * Looks whether a database is whole, in a process of its own and after everything else: a large one takes a while, and the
 * host must not wait. @returns what is wrong with it; undefined: nothing
 */
export function damageOf(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--input-type=module', '-e', look, file], (error, stdout, stderr) => {
      const found = stdout.trim();
      // A process that was ended from outside has found nothing.
      if (error && !/\b(malformed|not a database|corrupt)/i.test(stderr)) resolve(undefined);
      else resolve(error ? 'it cannot be read' : found === 'ok' ? undefined : found.split('\n').at(-1));
    });
    child.unref();
    if (child.pid !== undefined) lower(child.pid);
  });
}

function lower(pid: number): void {
  try {
    setPriority(pid, 10);
  } catch {
    // It is over already.
  }
}
