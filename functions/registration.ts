import type { Parts } from '../shared/parts.ts';
import { register } from '../shared/register.ts';

let done: Promise<void> | undefined;

/** Once a process: stores the code of this package, and since when its schedules hold. */
export function registered(parts: Parts): Promise<void> {
  done ??= register(parts, parts.catalog(), Date.now());
  // An outage is not kept: the next call tries again.
  done.catch(() => {
    done = undefined;
  });
  return done;
}
