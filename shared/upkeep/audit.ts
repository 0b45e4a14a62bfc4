import { type Instant, day as oneDay } from '../instant.ts';
import type { Parts } from '../parts.ts';

/** Entries of this age and younger are looked at: upkeep may have failed on a day or two. */
const lookBack = 4 * oneDay;

/**
 * Lists again what a host left out that died between the chain and the list, or what was removed from a list; and reports
 * the head, which Application Insights keeps: there the app can add, and change nothing.
 */
export async function keepAudit({ store, emit }: Pick<Parts, 'store' | 'emit'>, now: Instant): Promise<void> {
  const head = await store.audit.head();
  if (!head) return;
  emit({ type: 'audit-head', head });
  const unreadable = () => {};
  for await (const { at, entry } of store.audit.list({ from: 1, to: head.number }, unreadable)) {
    if (entry.event.at < now - lookBack) return;
    if (!(await store.events.relist(entry.event, at))) continue;
    const error = new Error(
      `entry ${at} of the audit (${entry.event.kind}) was missing from the list of ${entry.event.job}`,
    );
    emit({ type: 'trouble', doing: 'completing the lists of the audit', error });
  }
}
