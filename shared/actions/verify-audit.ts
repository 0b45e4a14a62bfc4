import { type Instant, day as oneDay } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { type AuditEntry, dayOf, type Head } from '../run/audit-chain.ts';
import { type Broken, ChainCheck, checkKept, type Report } from '../run/audit-check.ts';
import type { Audit } from '../store/audit.ts';
import { checkLists, type InChain, inChain } from './audit-lists.ts';

export interface AuditReport {
  entries: number;
  /** The last entry of each day that was looked at, oldest first: to be kept where no one of this installation can write. */
  heads: Head[];
  /** In the order of the chain. */
  broken: Broken[];
  /** In the chain, and not yet in the list of its job: its host died in between. The daily upkeep lists it. */
  unlisted: number;
  /** In the lists of jobs from before there was a chain: nothing vouches for these. */
  older: number;
}

export interface Range {
  /** Days, UTC, both inclusive; left out: from the first, to the last. */
  from?: string | undefined;
  to?: string | undefined;
  /** Heads that were kept elsewhere. */
  kept?: readonly Head[];
}

/**
 * Checks the chain link by link, and then every event in the lists of jobs against its entry. Reads everything of the days
 * asked for, a thousand rows a request. The one that may write to storage could write the whole chain anew: only a head
 * that was kept elsewhere shows that.
 */
export async function verifyAudit({ store }: Pick<Parts, 'store'>, range: Range, now: Instant): Promise<AuditReport> {
  const { audit } = store;
  const broken: Broken[] = [];
  const report: Report = (kind, entry, day, text) => broken.push({ kind, entry, day, text });
  const head = await audit.head();
  const from = range.from === undefined ? 1 : await firstOf(audit, head, range.from);
  const to = range.to === undefined ? (head?.number ?? 0) : (await firstOf(audit, head, nextDay(range.to))) - 1;

  const check = new ChainCheck(to, report);
  const entries = new Map<number, InChain>();
  const heads: Head[] = [];
  for await (const { at, entry } of audit.list({ from, to }, (number) => check.unreadable(number))) {
    check.take(at, entry);
    entries.set(at, inChain(at, entry));
    if (heads.at(-1)?.day !== entry.day) heads.push({ number: at, day: entry.day, digest: entry.digest });
  }
  if (to >= from) check.end(from, from > 1 ? await audit.get(from - 1) : undefined);
  for (const kept of range.kept ?? []) checkKept(kept, await audit.get(kept.number), report);
  const lists = await checkLists(store, { entries, head, from: range.from, to: range.to }, report, now);
  heads.reverse();
  // What has no number stands at the end of its day.
  const place = ({ entry, day }: Broken) => entry ?? heads.find((one) => one.day >= day)?.number ?? to;
  broken.sort((a, b) => place(a) - place(b));
  return { entries: entries.size, heads, broken, ...lists };
}

/** The lowest number whose day is not before this one: days only grow, so the range is halved until it is found. */
async function firstOf({ get }: Audit, head: AuditEntry | undefined, day: string): Promise<number> {
  let [low, high] = [1, (head?.number ?? 0) + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    let number = middle;
    let entry = await get(number);
    // One that was removed belongs to the day before it; the check itself names it.
    while (!entry && number > low) entry = await get(--number);
    if (!entry || entry.day < day) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nextDay(day: string): string {
  return dayOf(Date.parse(`${day}T00:00:00Z`) + oneDay);
}
