import type { Parts } from '../../../shared/parts.ts';

/** `before`: the request never arrived. `after`: it was carried out, and its answer was lost. */
export type When = 'before' | 'after';

export class Died extends Error {
  constructor(message: string) {
    // Thrown a hundred thousand times in a simulation: where from is in its message, and the stack is dear.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Decides for each call of storage and platform by its number, from 1; undefined: it goes well. */
export type Plan = (call: number) => When | undefined;

/**
 * The parts of a host that dies at its n-th call: from then on nothing it tries arrives.
 * @returns the parts, and how many calls were made.
 */
export function mortal(parts: Parts, at: number, when: When): { parts: Parts; calls: () => number } {
  let dead = false;
  return disturbed(parts, (call) => {
    if (dead) return 'before';
    if (call !== at) return undefined;
    dead = true;
    return when;
  });
}

export function disturbed(parts: Parts, plan: Plan): { parts: Parts; calls: () => number } {
  let calls = 0;
  const disturb = <T extends object>(target: T, name: string): T =>
    new Proxy(target, {
      get(object, property) {
        const found = Reflect.get(object, property, object) as unknown;
        // What a host knows by itself cannot be unavailable.
        if (typeof found !== 'function' || property === 'guess') return found;
        return (...args: unknown[]) => {
          const result = () => found.apply(object, args) as unknown;
          calls += 1;
          const when = plan(calls);
          if (when === undefined) return result();
          const died = new Died(`died ${when} ${name}.${String(property)}`);
          const fails = async () => {
            if (when === 'after') await result();
            throw died;
          };
          return /^(all|ofJob|list|open|openOf|past|waiting|done)$/.test(String(property)) ? failing(died) : fails();
        };
      },
    });
  const store = Object.fromEntries(
    Object.entries(parts.store).map(([name, part]) => [name, typeof part === 'object' ? disturb(part, name) : part]),
  );
  const all = { ...parts, store: store as unknown as Parts['store'], executor: disturb(parts.executor, 'executor') };
  return { parts: all, calls: () => calls };
}

async function* failing(error: Error): AsyncGenerator<never> {
  yield* [];
  throw error;
}
