import type { InvocationContext } from '@azure/functions';
import { minute } from '../shared/instant.ts';
import { upkeep } from '../shared/upkeep/upkeep.ts';
import { invocation } from './invocation.ts';

/** The platform ends an invocation after ten minutes; what is left then is done on the next day. */
const mostMs = 7 * minute;

export function daily(context: InvocationContext): Promise<void> {
  const until = performance.now() + mostMs;
  return invocation(context, (parts) => {
    const days = parts.app.LAMPLIGHTER_RETENTION_DAYS;
    return upkeep(parts, { days, blobs: false, hasTime: () => performance.now() < until }, Date.now());
  });
}
