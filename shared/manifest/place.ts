import { shown } from './literal.ts';

/** Where something stands in a text; both count from 1. */
export interface Place {
  line: number;
  column: number;
}

/** The way from the top of a document to a value in it. */
export type Path = readonly (string | number)[];

/** `schedule[1].cron`; words that look like secrets are masked, very long ones cut. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text && '.'}${/^[\w-]{1,60}$/.test(part) ? part : shown(part)}`;
  }
  return text;
}

/** A function from offsets in the text (UTF-16 units) to places. */
export function placeFinder(text: string): (offset: number) => Place {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
