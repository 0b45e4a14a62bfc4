import { createHash } from 'node:crypto';
import { type Instant, iso, day as oneDay } from '../instant.ts';
import { type AuditEntry, type AuditEvent, dayOf, eventText } from '../run/audit-chain.ts';
import type { Report } from '../run/audit-check.ts';
import type { ListedEvent } from '../store/events.ts';
import { inverted } from '../store/inverted.ts';
import type { Store } from '../store/store.ts';
import { serviceAudit } from './clock.ts';

/** What is remembered of an entry while the lists of jobs are read. */
export interface InChain {
  /** Of another installation; null: our own. */
  chain: string | null;
  number: number;
  day: string;
  job: string;
  key: string;
  /** Digest of what it says. */
  content: string;
  at: Instant;
  /** What an entry of our own says that an import brought. */
  imported?: { chain: string; head: string };
}

/** Names an entry of any chain. */
export const placeOf = (chain: string | null, number: number) => `${chain ?? ''}|${number}`;

export function inChain(chain: string | null, number: number, { event, day }: AuditEntry): InChain {
  const { job, at, kind, details } = event;
  const one = { chain, number, day, job, key: keyOf(event), content: contentOf(event), at };
  if (kind !== 'imported' || chain !== null) return one;
  return { ...one, imported: { chain: String(details.chain), head: String(details.head) } };
}

interface Chains {
  /** By {@link placeOf}. */
  entries: ReadonlyMap<string, InChain>;
  /** Days, inclusive. */
  from: string | undefined;
  to: string | undefined;
}

/** Upkeep lists once a day what a dead host left out: what is missing for longer was removed. */
const listedWithin = 2 * oneDay;

/** Compares what the lists of jobs show with what the chain has. */
export async function checkLists(
  store: Store,
  { entries, from = '', to = '9999' }: Chains,
  report: Report,
  now: Instant,
): Promise<{ unlisted: number; older: number }> {
  const chainOf = (id: string | undefined) => (id === undefined ? store.audit : store.audit.brought(id));
  const begin = memoized(async (id) => (await chainOf(id).get(1))?.event.at ?? Number.POSITIVE_INFINITY);
  const byKey = new Map([...entries.values()].map((one) => [one.key, one]));
  const listed = new Set<string>();
  let older = 0;

  async function check({ event, entry, chain }: ListedEvent): Promise<void> {
    const key = keyOf(event);
    const day = dayOf(event.at);
    const expected = byKey.get(key);
    // A late event is chained on a later day than its own: then it is known by its key.
    if (!expected && (day < from || day > to)) return;
    listed.add(key);
    const what = `${event.kind} of ${event.job} at ${iso(event.at)} is in the list of its job`;
    if (entry === null) {
      if (!expected && event.at < (await begin(chain))) older += 1;
      else report('inserted', null, day, `${what}, and names no entry`);
      return;
    }
    const found = entries.get(placeOf(chain ?? null, entry)) ?? (await beyond(chain, entry));
    const content = contentOf(event);
    if (found?.content === content) return;
    const text = `${what} as entry ${entry}`;
    if (!found) {
      const end = (await chainOf(chain).head())?.number ?? 0;
      report('removed', entry, day, `${text}, which is ${entry > end ? 'after the end of the chain' : 'not there'}`);
    } else if (expected?.content === content)
      report('reordered', entry, day, `${text}, and the chain has it as ${expected.number}`);
    else report('changed', entry, day, `${text}, which says something else`);
  }

  async function beyond(chain: string | undefined, number: number): Promise<InChain | undefined> {
    const entry = await chainOf(chain).get(number);
    return entry && inChain(chain ?? null, number, entry);
  }

  for (const job of await names(store, entries)) {
    const unreadable = (row: string) =>
      report('changed', null, '', `event ${row} in the list of ${job} cannot be read`);
    for await (const one of store.events.listed(job, unreadable)) await check(one);
  }
  let unlisted = 0;
  for (const { key, number, day, job, at } of byKey.values()) {
    if (listed.has(key)) continue;
    if (now - at < listedWithin) unlisted += 1;
    else report('removed', number, day, `it is gone from the list of ${job}; the chain still has it`);
  }
  return { unlisted, older };
}

async function names({ jobs }: Store, entries: ReadonlyMap<string, InChain>): Promise<Set<string>> {
  const found = new Set([serviceAudit, ...[...entries.values()].map(({ job }) => job)]);
  for await (const { value } of jobs.all(() => {})) found.add(value.name);
  return found;
}

/** Asks once for each. */
function memoized<T>(ask: (id: string | undefined) => Promise<T>): (id: string | undefined) => Promise<T> {
  const known = new Map<string | undefined, Promise<T>>();
  return (id) => {
    const found = known.get(id) ?? ask(id);
    known.set(id, found);
    return found;
  };
}

function keyOf({ job, at, id }: AuditEvent): string {
  return `${job}|${inverted(at)}|${id}`;
}

function contentOf(event: AuditEvent): string {
  return createHash('sha256').update(eventText(event)).digest('base64');
}
