interface Waiting<T> {
  items: T[];
  settle: { resolve: () => void; reject: (error: unknown) => void };
}

/**
 * Writes that come while one is under way go together in the next: many runs that end in a moment cost a few requests,
 * and one that ends alone does not wait. Should they fail together, each is tried by itself, so that none fails for another.
 * @param write safe to do again
 */
export function gathered<T>(write: (items: T[]) => Promise<void>): (items: T[]) => Promise<void> {
  let waiting: Waiting<T>[] = [];
  let busy = false;

  async function work() {
    busy = true;
    while (waiting.length > 0) {
      const some = waiting;
      waiting = [];
      await writeThese(some);
    }
    busy = false;
  }

  async function writeThese(some: Waiting<T>[]) {
    const all = write(some.flatMap(({ items }) => items));
    const done = await all.then(
      () => true,
      (error: unknown) => {
        if (some.length === 1) some[0]?.settle.reject(error);
        return false;
      },
    );
    if (done) for (const { settle } of some) settle.resolve();
    else if (some.length > 1)
      await Promise.all(some.map(({ items, settle }) => write(items).then(settle.resolve, settle.reject)));
  }

  return (items) =>
    new Promise((resolve, reject) => {
      waiting.push({ items, settle: { resolve, reject } });
      if (!busy) void work();
    });
}
