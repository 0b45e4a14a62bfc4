import { distance } from 'fastest-levenshtein';

/** The same word to a person: `time_zone`, `timezone` and `timeZone` are one. */
export function plain(word: string): string {
  return word.toLowerCase().replace(/[\s_-]/g, '');
}

/**
 * The candidate a person most likely meant: at most a third of it differs, or its letters are in another order, or
 * one word begins with the other (`minimum`, min). Undefined when none is near.
 */
export function nearest(word: string, from: Iterable<string>): string | undefined {
  const candidates = [...from];
  const wanted = plain(word.slice(0, 64));
  let best: { candidate: string; cost: number } | undefined;
  for (const candidate of candidates) {
    const cost = letters(wanted) === letters(plain(candidate)) ? 1 : distance(wanted, plain(candidate));
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
    if (cost <= allowed && (best === undefined || cost < best.cost)) best = { candidate, cost };
  }
  return best?.candidate ?? candidates.find((candidate) => begins(wanted, plain(candidate)));
}

function letters(word: string): string {
  return [...word].sort().join('');
}

function begins(a: string, b: string): boolean {
  return Math.min(a.length, b.length) >= 3 && (a.startsWith(b) || b.startsWith(a));
}
