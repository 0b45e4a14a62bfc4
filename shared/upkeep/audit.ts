import { hour, type Instant, day as oneDay } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { AuditEvent } from '../run/audit-chain.ts';
import type { Events } from '../store/events.ts';

/** Entries of this age and younger are looked at once a day: upkeep may have failed on a day or two. */
const lookBack = 4 * oneDay;
/** Between two looks at all of those, a host that starts looks only at what has come since. */
const atMostEvery = 20 * hour;
/** An entry is listed a moment after it was chained, and clocks differ. */
const overlap = hour;

/**
 * Lists again what a host left out that died between the chain and the list, or what was removed from a list; and reports
 * the head, which Application Insights keeps: there the app can add, and change nothing. Costs one list for each job that
 * has entries of that time, and no write when all is in order.
 */
export async function keepAudit(
  { store, emit, person }: Pick<Parts, 'store' | 'emit' | 'person'>,
  now: Instant,
): Promise<void> {
  const head = await store.audit.head();
  if (!head) return;
  emit({ type: 'audit-head', head });
  const last = await store.marks.get('listed');
  const isDue = last === undefined || now - last >= atMostEvery || last > now;
  const since = isDue ? now - lookBack : last - overlap;
  const recent = new Map<string, { at: number; event: AuditEvent }[]>();
  for await (const { at, entry } of store.audit.list({ from: 1, to: head.number }, () => {})) {
    const { event } = entry;
    if (event.at < since) break;
    const same = recent.get(event.job);
    if (same) same.push({ at, event });
    else recent.set(event.job, [{ at, event }]);
  }
  for (const [job, entries] of recent) {
    const listed = await keysOf(store.events, job, since);
    for (const { at, event } of entries) {
      if (listed.has(keyOf(event)) || !(await store.events.relist(event, at))) continue;
      const error = new Error(`entry ${at} of the audit (${event.kind}) was missing from the list of ${job}`);
      emit({ type: 'trouble', doing: 'completing the lists of the audit', error });
    }
  }
  if (isDue) await store.marks.advance('listed', now, person);
}

async function keysOf(events: Events, job: string, since: Instant): Promise<Set<string>> {
  const keys = new Set<string>();
  for await (const { event } of events.listed(job, () => {})) {
    if (event.at < since) break;
    keys.add(keyOf(event));
  }
  return keys;
}

function keyOf({ at, id }: AuditEvent): string {
  return `${at}|${id}`;
}
