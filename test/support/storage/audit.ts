import { verifyAudit } from '../../../shared/actions/verify-audit.ts';
import { day, type Instant, minute } from '../../../shared/instant.ts';
import type { AuditEntry } from '../../../shared/run/audit-chain.ts';
import type { JobEvent } from '../../../shared/run/job-event.ts';
import { audit, broughtCodec, placedCodec } from '../../../shared/store/audit.ts';
import { eventCodec, events } from '../../../shared/store/events.ts';
import { markCodec, marks } from '../../../shared/store/service.ts';
import type { Store } from '../../../shared/store/store.ts';
import { seven } from '../pipeline/cast.ts';
import { memoryTable } from './memory-table.ts';

export const pause = (at: Instant, more: Partial<JobEvent> = {}): JobEvent => {
  return { job: 'score', at, kind: 'paused', by: 'dana@contoso.com', why: 'the CRM moves', details: {}, ...more };
};
export const later = seven + 10 * day;

/** A store whose two tables of the audit can be written to behind its back. */
export function openAudit() {
  const chain = memoryTable(placedCodec);
  const list = memoryTable(eventCodec);
  const own = audit(chain, memoryTable(broughtCodec));
  const jobs = { async *all() {} };
  const store = {
    audit: own,
    events: events(list, own),
    jobs,
    marks: marks(memoryTable(markCodec)),
  } as unknown as Store;
  const entry = async (number: number) => (await own.get(number)) as AuditEntry;
  return {
    store,
    chain,
    list,
    entry,
    put: (at: number, one: AuditEntry) => chain.putAll([{ at, entry: { ...one, number: at } }]),
    remove: (number: number) => chain.remove('chain', String(999_999_999_999 - number)),
    verify: (range = {}, now = later) => verifyAudit({ store }, range, now),
  };
}

/** Three days of three events. */
export async function filledAudit() {
  const here = openAudit();
  for (let number = 0; number < 9; number++) {
    const at = seven + Math.floor(number / 3) * day + number * minute;
    await here.store.events.append(pause(at, { why: `reason ${number + 1}`, job: number % 2 ? 'pull' : 'score' }));
  }
  return here;
}
