import { learning } from './budget.ts';

/** The values that a metric of counts by category has had, and whether they are all that it may have. */
export interface Enumeration {
  runs: number;
  /** The run that last brought a new value, and how often one came after the first runs. */
  newAt: number;
  news: number;
  /** Value and in how many runs it was seen. */
  seen: [string, number][];
  /** It has had more values than an enumeration has, or some that are not known by name. */
  open?: true;
}

/** More values are no enumeration. */
const mostValues = 20;
/** The sum of what a profile does not name. */
const rest = '…';

export function newEnumeration(): Enumeration {
  return { runs: 0, newAt: 0, news: 0, seen: [] };
}

/**
 * Values of this run that are outside the enumeration; undefined: there is none. It counts as closed when every value
 * came in three runs at least, and none was new for 15 runs, then 30, 60 …: a rare value is so no surprise each time.
 */
export function strangers(known: Enumeration, mix: Readonly<Record<string, number>>): string[] | undefined {
  const { runs, newAt, news, seen, open } = known;
  if (open || Object.hasOwn(mix, rest) || runs < learning || seen.length === 0) return undefined;
  if (runs - newAt < learning * 2 ** Math.min(news, 6) || seen.some(([, times]) => times < 3)) return undefined;
  const names = new Set(seen.map(([name]) => name));
  return present(mix).filter((name) => !names.has(name));
}

/** The enumeration with one more run. @param without strangers that are not accepted */
export function withRun(
  known: Enumeration,
  mix: Readonly<Record<string, number>>,
  without: ReadonlySet<string> = new Set(),
): Enumeration {
  if (known.open) return known;
  if (Object.hasOwn(mix, rest)) return { ...known, seen: [], open: true };
  const seen = new Map(known.seen);
  const fresh = present(mix).filter((name) => !seen.has(name) && !without.has(name));
  for (const name of present(mix)) if (!without.has(name)) seen.set(name, (seen.get(name) ?? 0) + 1);
  return {
    runs: known.runs + 1,
    newAt: fresh.length > 0 ? known.runs + 1 : known.newAt,
    news: known.news + (fresh.length > 0 && known.runs >= learning ? 1 : 0),
    ...(seen.size <= mostValues ? { seen: [...seen] } : { seen: [], open: true }),
  };
}

/** These belong to it from now on. */
export function withValues(known: Enumeration, values: readonly string[]): Enumeration {
  const seen = new Map(known.seen);
  for (const name of values) seen.set(name, Math.max(3, seen.get(name) ?? 0));
  return { ...known, newAt: known.runs, news: known.news + 1, seen: [...seen] };
}

function present(mix: Readonly<Record<string, number>>): string[] {
  return Object.entries(mix).flatMap(([name, count]) => (count > 0 ? [name] : []));
}
