/** Order statistics that one odd value cannot move. */

/** The middle value; NaN for an empty list. */
export function median(values: ArrayLike<number>): number {
  return middle(new Float64Array(values));
}

/** 1.4826 × the median distance from the median: the standard deviation of a normal sample, whatever its worst values are. */
export function spread(values: ArrayLike<number>, centre = median(values)): number {
  const distances = new Float64Array(values.length);
  for (let i = 0; i < distances.length; i++) distances[i] = Math.abs((values[i] as number) - centre);
  return 1.4826 * middle(distances);
}

/** Of a list that it may sort. */
function middle(values: Float64Array): number {
  const n = values.length;
  // A week of days, hundreds of times: to call the library takes longer than to move some numbers.
  if (n <= 16) sortFew(values);
  else values.sort();
  const half = n >> 1;
  if (n % 2 === 1) return values[half] as number;
  return n === 0 ? Number.NaN : ((values[half - 1] as number) + (values[half] as number)) / 2;
}

function sortFew(values: Float64Array): void {
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    let at = i;
    for (; at > 0 && (values[at - 1] as number) > value; at--) values[at] = values[at - 1] as number;
    values[at] = value;
  }
}

/** Ordinary standard deviation; 0 for fewer than two values. */
export function deviation(values: ArrayLike<number>): number {
  const n = values.length;
  if (n < 2) return 0;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i] ?? 0;
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += ((values[i] ?? 0) - mean) ** 2;
  return Math.sqrt(squares / (n - 1));
}

export const clip = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value));
