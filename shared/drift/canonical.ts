/** Outputs of two replays made comparable without a language model. */

/** Each value of an output by its path: `$.rows[3].score`, `line 7`, `row 2.score`. */
export type Leaves = Map<string, string>;

const moment = /\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b/g;
const uuid = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;

/** Takes an output apart by its kind: JSON and JSON lines by path, CSV by row and column, all else by line. */
export function leavesOf(path: string, content: string): Leaves {
  const extension = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase();
  if (extension === 'json') return fromJson(content) ?? fromText(content);
  if (extension === 'jsonl') return fromLines(content) ?? fromText(content);
  if (extension === 'csv' || extension === 'tsv') return fromTable(content, extension === 'csv' ? ',' : '\t');
  return fromText(content);
}

/** A path without the positions in it: what one row has, every row has. */
export function place(path: string): string {
  return path
    .replace(/\[\d+\]/g, '[]')
    .replace(/^row \d+\./, 'row.')
    .replace(/^line \d+$/, 'line');
}

/** Places that differ between replays of the same input by the same code, such as times and ids: no evidence. */
export function volatilePlaces(replays: readonly Leaves[]): Set<string> {
  const found = new Set<string>();
  const [first, ...others] = replays;
  if (!first) return found;
  for (const other of others)
    for (const path of differing(first, other)) if (place(path) !== 'line') found.add(place(path));
  return found;
}

/** The paths at which two outputs differ, but for the places left out. */
export function differing(a: Leaves, b: Leaves, without: ReadonlySet<string> = new Set()): string[] {
  const paths = [...a.keys(), ...[...b.keys()].filter((path) => !a.has(path))];
  return paths.filter((path) => a.get(path) !== b.get(path) && !without.has(place(path)));
}

function fromJson(content: string): Leaves | undefined {
  const leaves: Leaves = new Map();
  try {
    walk(JSON.parse(content), '$', leaves, 0);
    return leaves;
  } catch {
    return undefined;
  }
}

function fromLines(content: string): Leaves | undefined {
  const leaves: Leaves = new Map();
  try {
    const lines = content.split(/\r?\n/).filter((line) => line.trim() !== '');
    lines.forEach((line, i) => {
      walk(JSON.parse(line), `$[${i}]`, leaves, 0);
    });
    return leaves;
  } catch {
    return undefined;
  }
}

function walk(value: unknown, path: string, leaves: Leaves, depth: number): void {
  if (typeof value !== 'object' || value === null || depth > 100) {
    leaves.set(path, typeof value === 'number' ? number(value) : `${typeof value} ${plain(String(value))}`);
  } else if (Array.isArray(value)) {
    leaves.set(`${path}.length`, String(value.length));
    for (const [i, item] of value.entries()) walk(item, `${path}[${i}]`, leaves, depth + 1);
  } else {
    for (const [key, item] of Object.entries(value)) walk(item, `${path}.${key}`, leaves, depth + 1);
  }
}

function fromTable(content: string, separator: string): Leaves {
  const [head = [], ...rows] = cells(content.replace(/^\uFEFF/, ''), separator);
  const leaves: Leaves = new Map([['columns', head.join(separator)]]);
  rows.forEach((row, i) => {
    row.forEach((cell, column) => {
      const text = cell.trim();
      const isNumber = text !== '' && Number.isFinite(Number(text));
      leaves.set(`row ${i}.${head[column] ?? column}`, isNumber ? number(Number(text)) : plain(text));
    });
  });
  return leaves;
}

/** RFC 4180: quoted cells may hold separators, line ends and doubled quotes. */
function cells(content: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < content.length; i++) {
    const character = content[i] ?? '';
    if (quoted) {
      if (character !== '"') cell += character;
      else if (content[i + 1] === '"') cell += content[++i];
      else quoted = false;
    } else if (character === '"' && cell === '') quoted = true;
    else if (character === separator) {
      row.push(cell);
      cell = '';
    } else if (character === '\n') {
      rows.push([...row, cell.replace(/\r$/, '')]);
      row = [];
      cell = '';
    } else cell += character;
  }
  if (cell !== '' || row.length > 0) rows.push([...row, cell]);
  return rows;
}

function fromText(content: string): Leaves {
  const lines = content.split(/\r?\n/).map((line) => plain(line.replace(/\s+/g, ' ').trim()));
  while (lines.at(-1) === '') lines.pop();
  return new Map(lines.map((line, i) => [`line ${i + 1}`, line]));
}

/** Twelve digits: what a sum in another order changes is no change. */
function number(value: number): string {
  return `number ${Number(value.toPrecision(12))}`;
}

function plain(text: string): string {
  return text.replace(uuid, '<id>').replace(moment, '<time>');
}
