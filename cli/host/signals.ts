/** Npm passes a Ctrl-C on that the terminal has delivered already: so close together they are one, ms. */
const same = 700;

/** Resolve when a person asks this process to end, and when they insist. */
export function signalled(): { first: Promise<void>; second: Promise<void> } {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let at: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (at === undefined) first.resolve();
      else if (now - at > same) second.resolve();
      at ??= now;
    });
  }
  // Npm passes a SIGTERM to its shell alone, and the shell dies of it without a word to us.
  const parent = process.ppid;
  const orphaned = () => process.ppid !== parent && first.resolve();
  if (process.env.npm_lifecycle_event !== undefined) setInterval(orphaned, 1_000).unref();
  return { first: first.promise, second: second.promise };
}
