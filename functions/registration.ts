import { once } from '../shared/once.ts';
import type { Parts } from '../shared/parts.ts';
import { register } from '../shared/pipeline/deployments.ts';

/** Once a process: stores the code of this package, and since when its schedules hold. */
export const registered = once((parts: Parts) => register(parts, parts.catalog(), Date.now()));
