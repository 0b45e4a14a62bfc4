import type { InvocationContext } from '@azure/functions';
import { day } from '../shared/instant.ts';
import { forget } from '../shared/upkeep/retention.ts';
import { checkSecrets } from '../shared/upkeep/secrets.ts';
import { invocation } from './invocation.ts';

/** What is not urgent: secrets that expire, and history that is older than it must be. */
export function daily(context: InvocationContext): Promise<void> {
  return invocation(context, async (parts) => {
    const now = Date.now();
    await checkSecrets(parts, now);
    await forget(parts, now - parts.app.LAMPLIGHTER_RETENTION_DAYS * day);
  });
}
