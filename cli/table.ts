import { stripVTControlCharacters, styleText } from 'node:util';
import type { RunState } from '../shared/run/run.ts';

/** Prints rows under headings, columns as wide as they need be, the last one cut to the terminal's width. */
export function printTable(headings: string[], rows: string[][]): void {
  const all = [headings.map((heading) => styleText('dim', heading)), ...rows.map((row) => row.map(oneLine))];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  const before = widths.slice(0, -1).reduce((sum, wide) => sum + wide + 2, 0);
  const room = process.stdout.isTTY ? Math.max(process.stdout.columns - before, 12) : Number.POSITIVE_INFINITY;
  for (const row of all) {
    const cells = row.map((cell, column) =>
      column === row.length - 1 ? cut(cell, room) : cell + ' '.repeat((widths[column] ?? 0) - width(cell)),
    );
    console.log(cells.join('  ').trimEnd());
  }
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** What a job wrote may hold anything: a table has one line a row. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ');
}

/** A cell that must be cut loses its colour. */
function cut(text: string, room: number): string {
  return width(text) <= room ? text : `${stripVTControlCharacters(text).slice(0, room - 1)}…`;
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
