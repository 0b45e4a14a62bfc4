/** Pieces of at most `size` items, in order. */
export function batches<T>(items: readonly T[], size: number): T[][] {
  const found: T[][] = [];
  for (let at = 0; at < items.length; at += size) found.push(items.slice(at, at + size));
  return found;
}

/**
 * Calls `work` for each item in order, at most `together` at once. When one fails no further item is begun.
 * @throws what the first that failed threw, once those under way are over
 */
export async function eachOf<T>(
  items: Iterable<T> | AsyncIterable<T>,
  together: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const busy = new Set<Promise<unknown>>();
  const errors: unknown[] = [];
  for await (const item of items) {
    const doing: Promise<unknown> = work(item)
      .catch((error) => errors.push(error))
      .finally(() => busy.delete(doing));
    busy.add(doing);
    if (busy.size >= together) await Promise.race(busy);
    if (errors.length > 0) break;
  }
  await Promise.all(busy);
  if (errors.length > 0) throw errors[0];
}
