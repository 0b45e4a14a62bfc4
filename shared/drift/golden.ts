import type { Replay } from './attribution.ts';
import { differing, type Leaves, volatilePlaces } from './canonical.ts';

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

/** @param replays by example: what each of its replays left */
export function noiseOf(replays: ReadonlyMap<string, readonly Outputs[]>): Noise {
  const volatile: Record<string, string[]> = Object.create(null);
  for (const outputs of replays.values()) {
    for (const file of new Set(outputs.flatMap((one) => [...one.keys()]))) {
      const places = volatilePlaces(outputs.map((one) => one.get(file) ?? new Map()));
      if (places.size > 0) volatile[file] = [...new Set([...(volatile[file] ?? []), ...places])].sort();
    }
  }
  const examples = [...replays];
  const noisy = examples.filter(([name, [first, ...others]]) =>
    others.some((other) => first && differences(name, first, other, volatile).length > 0),
  );
  const counts = examples.map(([, outputs]) => outputs.length);
  return {
    replays: counts.length > 0 ? Math.min(...counts) : 0,
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
  const found = [...accepted].map(([name, was]) => {
    const is = now.get(name);
    if (!is) return [{ example: name, file: '', path: '', was: 'an answer', is: 'the replay failed' }];
    return differences(name, was, is, noise.volatile);
  });
  const changed = found.filter((differences) => differences.length > 0);
  const at = alarmAt(accepted.size, noise.share);
  return {
    state: accepted.size === 0 ? 'unknown' : changed.length >= at ? 'moved' : 'still',
    changed: changed.length,
    of: accepted.size,
    alarmAt: at,
    worst: changed
      .sort((a, b) => b.length - a.length)
      .slice(0, 3)
      .flatMap(([first]) => (first ? [first] : [])),
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
