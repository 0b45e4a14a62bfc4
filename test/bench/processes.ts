import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Reads Linux's /proc; the benchmark's figures of CPU and memory need it. */
const hertz = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU of one process so far, ms; `children`: of those that ended and were waited for, and of theirs. See proc(5). */
export function cpuOf(pid: number | 'self'): { own: number; children: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ms = (from: number) => ((Number(fields[from]) + Number(fields[from + 1])) / hertz) * 1_000;
  return { own: ms(11), children: ms(13) };
}

/** Bytes in memory; `share`: what is shared counts by its part only. */
export function memoryOf(pid: number): { resident: number; share: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1_024;
  return { resident: of('Rss'), share: of('Pss') };
}

/** The children of a process whose command line has this word, the newest last. */
export function childrenWith(word: string, parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent && commandOf(pid).includes(word))
    .sort((a, b) => fieldOf(a, 19) - fieldOf(b, 19));
}

const parentOf = (pid: number) => fieldOf(pid, 1);

/** Counted from the state, which is 0: the parent is 1, the start 19. Process ids start over, starts do not. */
function fieldOf(pid: number, field: number): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[field]);
}

function commandOf(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`).split('\0');
}

/** Empty when it ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
