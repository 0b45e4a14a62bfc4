import { stripVTControlCharacters, styleText } from 'node:util';
import type { RunState } from '../shared/run.ts';

/** Prints rows under headings, columns as wide as they need be, the last one cut to the terminal. */
export function printTable(headings: string[], rows: string[][]): void {
  const all = [headings.map((heading) => styleText('dim', heading)), ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  for (const row of all) {
    const cells = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - width(cell)),
    );
    console.log(cells.join('  ').trimEnd());
  }
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

const colours: Record<RunState, Parameters<typeof styleText>[0]> = {
  queued: 'blue',
  starting: 'blue',
  running: 'cyan',
  retrying: 'yellow',
  succeeded: 'green',
  failed: 'red',
  'timed-out': 'red',
  cancelled: 'yellow',
  lost: 'red',
  skipped: 'dim',
  missed: 'magenta',
};

export function stateText(state: RunState): string {
  return styleText(colours[state], state);
}

/** `0.4 s`, `3 min 12 s`, `2 h 5 min`. */
export function spanText(ms: number): string {
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.round((ms % 60_000) / 1_000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
