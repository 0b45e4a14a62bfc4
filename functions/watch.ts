import type { InvocationContext } from '@azure/functions';
import { pipeline } from '../shared/pipeline.ts';
import { invocation } from './invocation.ts';

/** Needs no job to be registered: what is under way is looked after whatever keeps this package from claiming. */
export function watch(context: InvocationContext): Promise<void> {
  return invocation(context, (parts) => pipeline(parts).watch(Date.now()));
}
