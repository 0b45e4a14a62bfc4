import { distance } from 'fastest-levenshtein';

/** The same word to a person: `time_zone`, `timezone` and `timeZone` are one. */
export function plain(word: string): string {
  return word.toLowerCase().replace(/[\s_-]/g, '');
}

/** The candidate a person most likely meant, or undefined when none is near (at most a third of it differs). */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(word.slice(0, 64));
  let best: { candidate: string; cost: number } | undefined;
  for (const candidate of candidates) {
    const cost = distance(wanted, plain(candidate));
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
    if (cost <= allowed && (best === undefined || cost < best.cost)) best = { candidate, cost };
  }
  return best?.candidate;
}
