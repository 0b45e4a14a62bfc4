import type { Instant } from '../instant.ts';
import type { OutputProfile } from '../run/attempt.ts';
import { learning } from './budget.ts';

/** What the columns of one output have been, run by run. */
export interface Columns {
  /** Runs seen, and the one of them that last brought a new column. */
  runs: number;
  newAt: number;
  /** Runs that brought new columns after the first: the more, the longer must be quiet before one is news again. */
  news: number;
  known: Column[];
  standing: Breach[];
}

export interface Column {
  name: string;
  /** The run that first had it, the runs that did, and those in a row that now do not. */
  first: number;
  seen: number;
  absentNow: number;
  /** The most runs in a row that did not, before it came back. */
  longest: number;
  /** No row of any run lacked it. */
  full: boolean;
  /** What its cells hold; null: not always the same. `typed`: runs that showed it. */
  type: string | null;
  typed: number;
  /** Few rows hold it so far, so that it is not reported yet. */
  late?: true;
}

/** What was always so, and is not: from the run that first showed it until it is over or accepted. */
export interface Breach {
  kind: 'lost' | 'new' | 'renamed' | 'retyped';
  column: string;
  since: Instant;
  /** Of a column that was renamed its new name; of one with another type that type, and `from` the old one. */
  to?: string;
  from?: string;
  /** How many runs before were otherwise. */
  before: number;
}

export interface Seen {
  columns: Columns;
  found: Breach[];
  over: Breach[];
}

type Profiled = OutputProfile['columns'][number];

/** Columns that are remembered of one output, in the room that a row has for them. */
const mostKnown = 150;
const mostCharacters = 12_000;
/** A column that has not been there for this many runs is forgotten. */
const longGone = 90;

export function newColumns(): Columns {
  return { runs: 0, newAt: 0, news: 0, known: [], standing: [] };
}

/**
 * The columns after one more run. Nothing is a breach before {@link learning} runs. A column that comes and goes is lost
 * only when it stays out far longer than it ever did; where columns often come in, none of them is news.
 */
export function seeColumns(columns: Columns, slot: Instant, profile: OutputProfile): Seen {
  const now = new Map(profile.columns.map((column) => [column.name, column]));
  // Of a file without rows, such as [], it is not known which columns it would have had.
  if (now.size === 0) return { columns, found: [], over: [] };
  const { runs } = columns;
  const over = columns.standing.filter((breach) => isOver(breach, now.get(breach.column)));
  const standing = columns.standing.filter((breach) => !over.includes(breach));
  const names = new Set(columns.known.map(({ name }) => name));
  const fresh = profile.columns.filter(
    ({ name }, i, all) => !names.has(name) && all.findIndex((one) => one.name === name) === i,
  );
  const news = runs >= learning && runs - columns.newAt >= learning * 2 ** Math.min(columns.news, 6);

  const found: Breach[] = [];
  const known: Column[] = [];
  for (const before of columns.known) {
    const is = now.get(before.name);
    const column = after(before, is, profile.rows);
    const about = { column: before.name, since: slot };
    const late = column.late && runs + 1 - column.first >= 2;
    if (runs >= learning && !columns.standing.some((one) => one.column === before.name)) {
      if (!is && isLost(before, runs)) found.push({ ...about, kind: 'lost', before: before.seen });
      if (is && isRetyped(before, is, profile.rows))
        found.push({ ...about, kind: 'retyped', to: is.type, from: before.type ?? '', before: before.typed });
      if (is && late && column.seen === 3) found.push({ ...about, kind: 'new', before: before.first - 1 });
    }
    const { late: _, ...plain } = column;
    if (column.absentNow < longGone) known.push(late || !is ? plain : column);
  }
  for (const column of fresh) {
    const full = column.nulls === 0 && profile.rows > 0;
    const typed = column.type === 'empty' ? { type: null, typed: 0 } : { type: column.type, typed: 1 };
    const rare = news && column.nulls > 0.5;
    known.push({
      name: column.name,
      first: runs + 1,
      seen: 1,
      absentNow: 0,
      longest: 0,
      full,
      ...typed,
      ...(rare && { late: true }),
    });
    if (news && !rare) found.push({ kind: 'new', column: column.name, since: slot, before: runs });
  }
  const joined = withRenamed(found, columns.known, profile.columns);
  const next = {
    runs: runs + 1,
    newAt: fresh.length > 0 ? runs + 1 : columns.newAt,
    news: columns.news + (runs >= learning && fresh.length > 0 ? 1 : 0),
    known: bounded(known),
    standing: [...standing, ...joined].slice(-mostKnown),
  };
  return { columns: next, found: joined, over };
}

/** A person has accepted what became of these columns: it is what is expected from now on. */
export function acceptColumns(columns: Columns, names: ReadonlySet<string>): Columns {
  const accepted = columns.standing.filter(({ column }) => names.has(column));
  if (accepted.length === 0) return columns;
  const gone = new Set(accepted.flatMap(({ kind, column }) => (kind === 'lost' || kind === 'renamed' ? [column] : [])));
  const types = new Map(accepted.flatMap(({ kind, column, to }) => (kind === 'retyped' && to ? [[column, to]] : [])));
  return {
    ...columns,
    news: 0,
    known: columns.known
      .filter(({ name }) => !gone.has(name))
      .map((one) => (types.has(one.name) ? { ...one, type: types.get(one.name) ?? null, typed: 1 } : one)),
    standing: columns.standing.filter((breach) => !accepted.includes(breach)),
  };
}

/** A column after a run; its type is settled once it is learnt, so that a breach does not become what is expected. */
function after(column: Column, is: Profiled | undefined, rows: number): Column {
  if (!is) return { ...column, absentNow: column.absentNow + 1 };
  const full = column.full && is.nulls === 0 && rows > 0;
  const longest = Math.max(column.longest, column.absentNow);
  const next = { ...column, seen: column.seen + 1, absentNow: 0, longest, full: rows === 0 ? column.full : full };
  if (is.type === 'empty') return next;
  const same = column.typed === 0 || column.typed >= learning || column.type === is.type;
  return {
    ...next,
    type: same ? (column.type ?? (column.typed === 0 ? is.type : null)) : null,
    typed: column.typed + 1,
  };
}

function isLost({ seen, first, absentNow, longest, full }: Column, runs: number): boolean {
  if (seen < learning) return false;
  const missed = runs - first + 1 - seen - absentNow;
  // Every row of every run had it: then not even one run without it was to be expected.
  if (missed === 0) return absentNow === (full ? 0 : 1);
  const rate = (missed + 0.5) / (seen + missed + 1);
  // It is looked at in each run for years: 1 in a million at the rate at which it was absent before.
  const isOut = (absent: number) => absent > 2 * longest && rate ** absent <= 1e-6;
  return isOut(absentNow + 1) && !isOut(absentNow);
}

/** A few cells may all look like numbers by chance; a text among numbers is no chance. */
function isRetyped({ type, typed }: Column, is: Profiled, rows: number): boolean {
  if (type === null || typed < learning || is.type === 'empty' || is.type === type) return false;
  return is.type === 'text' || is.type === 'mixed' || rows * (1 - is.nulls) >= 10;
}

function isOver({ kind, from }: Breach, is: Profiled | undefined): boolean {
  if (kind === 'new') return is === undefined;
  return is !== undefined && (kind !== 'retyped' || is.type === from);
}

/** One that is lost and one that is new are one that was renamed, if they hold the same and stand in the same place. */
function withRenamed(found: readonly Breach[], known: readonly Column[], profiled: readonly Profiled[]): Breach[] {
  const lost = found.filter(({ kind }) => kind === 'lost');
  const fresh = found.filter(({ kind }) => kind === 'new');
  const pairs = new Map<Breach, Breach>();
  for (const one of lost) {
    const type = known.find(({ name }) => name === one.column)?.type;
    const place = known.findIndex(({ name }) => name === one.column);
    const pair = fresh.find((other) => {
      const at = profiled.findIndex(({ name }) => name === other.column);
      const alone = lost.length === 1 && fresh.length === 1;
      return profiled[at]?.type === type && (at === place || alone) && ![...pairs.values()].includes(other);
    });
    if (pair) pairs.set(one, pair);
  }
  const taken = new Set(pairs.values());
  return found
    .filter((one) => !taken.has(one))
    .map((one) => {
      const to = pairs.get(one)?.column;
      return to === undefined ? one : { ...one, kind: 'renamed' as const, to };
    });
}

/** Those that fit, the rarest left out. */
function bounded(known: readonly Column[]): Column[] {
  let room = mostCharacters;
  return known.slice(0, mostKnown).filter((column) => {
    room -= JSON.stringify(column).length;
    return room >= 0;
  });
}
