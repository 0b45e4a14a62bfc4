import type { InvocationContext } from '@azure/functions';
import { pipeline } from '../shared/pipeline.ts';
import { invocation } from './invocation.ts';
import { registered } from './registration.ts';

/** The platform repeats no tick that it missed, and calls it again after a crash: the cursor in storage knows better. */
export function tick(context: InvocationContext): Promise<void> {
  return invocation(context, async (parts) => {
    await registered(parts);
    await pipeline(parts).tick(Date.now());
  });
}
