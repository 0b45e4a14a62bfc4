import { createHash } from 'node:crypto';
import type { Replay } from './attribution.ts';
import { differing, type Leaves, place, volatilePlaces } from './canonical.ts';

/** Frozen inputs, replayed: whether the job still answers as it was accepted. */

/** The outputs of one example by file name, taken apart. */
export type Outputs = ReadonlyMap<string, Leaves>;

/** How much the same code differs from itself on the same inputs, measured when the answers are accepted. */
export interface Noise {
  /** Replays of each example it was measured with. */
  replays: number;
  /** Share of examples that differed between replays although volatile places were left out, 0–1. */
  share: number;
  /** By file name: places that differ by themselves. */
  volatile: Record<string, string[]>;
}

export interface Difference {
  example: string;
  file: string;
  path: string;
  was: string;
  is: string;
}

export interface Verdict {
  state: Replay;
  changed: number;
  of: number;
  /** Changed examples from which on it is no chance. */
  alarmAt: number;
  /** Of the examples that changed most, one difference each. */
  worst: Difference[];
}

/** Once in four years of daily replays. */
export const alpha = 1 / 1460;

/** A place is volatile when it differs by itself in at least this share of the examples: a time, an id. */
const mostly = 0.5;

/**
 * What differs in most examples by itself is left out of every comparison; what differs in a few is noise, which chance
 * is reckoned with: left out too, a model's own answer would never be compared.
 * @param replays by example: what each of its replays left
 */
export function noiseOf(replays: ReadonlyMap<string, readonly Outputs[]>): Noise {
  const counts = new Map<string, Map<string, number>>();
  for (const outputs of replays.values()) {
    for (const file of new Set(outputs.flatMap((one) => [...one.keys()]))) {
      const places = counts.get(file) ?? new Map<string, number>();
      for (const one of volatilePlaces(outputs.map((left) => left.get(file) ?? new Map()))) {
        places.set(one, (places.get(one) ?? 0) + 1);
      }
      counts.set(file, places);
    }
  }
  const volatile: Record<string, string[]> = Object.create(null);
  for (const [file, places] of counts) {
    const found = [...places].filter(([, count]) => count >= mostly * replays.size).map(([one]) => one);
    if (found.length > 0) volatile[file] = found.sort();
  }
  const examples = [...replays];
  const noisy = examples.filter(([name, [first, ...others]]) =>
    others.some((other) => first && differences(name, first, other, volatile).length > 0),
  );
  const repeats = examples.map(([, outputs]) => outputs.length);
  return {
    replays: repeats.length > 0 ? Math.min(...repeats) : 0,
    share: examples.length > 0 ? noisy.length / examples.length : 0,
    volatile: { ...volatile },
  };
}

/** How many of n examples must have changed before chance is out of the question: P(Bin(n, p) ≥ k) ≤ 1/1460. */
export function alarmAt(n: number, p: number): number {
  let reached = 1;
  let exactly = (1 - p) ** n;
  for (let k = 1; k <= n; k++) {
    reached -= exactly;
    if (reached <= alpha) return k;
    exactly = p >= 1 ? 0 : (exactly * (n - k + 1) * p) / (k * (1 - p));
  }
  return n + 1;
}

/** @param now left out examples are those whose replay failed: they count as changed */
export function judgeReplay(
  accepted: ReadonlyMap<string, Outputs>,
  now: ReadonlyMap<string, Outputs>,
  noise: Noise,
): Verdict {
  return judgeReplays(accepted, new Map([...now].map(([name, is]) => [name, [is]])), noise, {});
}

/**
 * The same of some replays each: an example has changed when none of them answers as accepted, nor as a person has
 * called expected. Chance alone does that the more rarely the more replays there are.
 */
export function judgeReplays(
  accepted: ReadonlyMap<string, Outputs>,
  now: ReadonlyMap<string, readonly Outputs[]>,
  noise: Noise,
  expected: Readonly<Record<string, readonly string[]>>,
): Verdict {
  const found = [...accepted].map(([name, was]) => {
    const replays = now.get(name) ?? [];
    const [first] = replays;
    if (!first) return [{ example: name, file: '', path: '', was: 'an answer', is: 'the replay failed' }];
    const allowed = Object.hasOwn(expected, name) ? (expected[name] ?? []) : [];
    const others = replays.map((is) =>
      allowed.includes(answerDigest(is, noise.volatile)) ? [] : differences(name, was, is, noise.volatile),
    );
    return others.some((one) => one.length === 0) ? [] : (others[0] ?? []);
  });
  const changed = found.filter((differences) => differences.length > 0);
  const at = alarmAt(accepted.size, noise.share);
  // So noisy that not even all of them would say anything.
  const mute = at > accepted.size;
  return {
    state: accepted.size === 0 || mute ? 'unknown' : changed.length >= at ? 'moved' : 'still',
    changed: changed.length,
    of: accepted.size,
    alarmAt: at,
    worst: changed
      .sort((a, b) => b.length - a.length)
      .slice(0, 3)
      .flatMap(([first]) => (first ? [first] : [])),
  };
}

/** Whether anything of an answer is left to compare without the volatile places: a head alone says nothing. */
export function saysAnything(outputs: Outputs, volatile: Record<string, string[]>): boolean {
  return [...outputs].some(([file, leaves]) => {
    const without = new Set(Object.hasOwn(volatile, file) ? volatile[file] : []);
    const bare = (path: string) => path === 'columns' || path.endsWith('.length');
    const held = [...leaves.keys()].filter((path) => !bare(path));
    return held.length === 0 || held.some((path) => !without.has(place(path)));
  });
}

/** The same for answers that differ in volatile places only. */
export function answerDigest(outputs: Outputs, volatile: Record<string, string[]>): string {
  const hash = createHash('sha256');
  for (const [file, leaves] of [...outputs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const without = new Set(Object.hasOwn(volatile, file) ? volatile[file] : []);
    hash.update(`${JSON.stringify(file)}\n`);
    for (const [path, value] of [...leaves].sort(([a], [b]) => (a < b ? -1 : 1)))
      if (!without.has(place(path))) hash.update(`${JSON.stringify([path, value])}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** What the noise of two measurements comes to: either saw what it saw. */
export function noisier(a: Noise, b: Noise): Noise {
  const files = new Set([...Object.keys(a.volatile), ...Object.keys(b.volatile)]);
  const places = (noise: Noise, file: string) =>
    Object.hasOwn(noise.volatile, file) ? noise.volatile[file] : undefined;
  const volatile = [...files].map((file) => {
    return [file, [...new Set([...(places(a, file) ?? []), ...(places(b, file) ?? [])])].sort()] as const;
  });
  return {
    replays: Math.max(a.replays, b.replays),
    share: Math.max(a.share, b.share),
    volatile: Object.fromEntries(volatile),
  };
}

function differences(example: string, was: Outputs, is: Outputs, volatile: Record<string, string[]>): Difference[] {
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((file) => {
    const [a, b] = [was.get(file) ?? new Map(), is.get(file) ?? new Map()];
    const without = new Set(Object.hasOwn(volatile, file) ? volatile[file] : []);
    return differing(a, b, without).map((path) => ({
      example,
      file,
      path,
      was: a.get(path) ?? '(absent)',
      is: b.get(path) ?? '(absent)',
    }));
  });
}
