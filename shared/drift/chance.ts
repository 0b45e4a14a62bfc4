/** Fills a list with the next 32-bit numbers of a stream. */
export type Draws = (into: Uint32Array) => void;

/**
 * A stream of 32-bit numbers that the same text always yields again, so that a finding can be recomputed. FNV-1a seeds
 * sfc32 (PractRand), which is far better than needed here and costs a few additions a draw.
 */
export function drawsFor(text: string): Draws {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // In an array, whose numbers are known to be whole: variables that a closure keeps took five times as long.
  const state = new Int32Array(4);
  state[0] = hash;
  state[1] = Math.imul(hash ^ 0x9e3779b9, 0x85ebca6b);
  state[2] = Math.imul(hash ^ 0x7f4a7c15, 0xc2b2ae35);
  state[3] = 1;
  const fill: Draws = (into) => {
    let a = state[0] as number;
    let b = state[1] as number;
    let c = state[2] as number;
    let count = state[3] as number;
    for (let at = 0; at < into.length; at++) {
      const sum = (((a + b) | 0) + count) | 0;
      count = (count + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + sum) | 0;
      into[at] = sum;
    }
    state[0] = a;
    state[1] = b;
    state[2] = c;
    state[3] = count;
  };
  fill(new Uint32Array(12));
  return fill;
}
