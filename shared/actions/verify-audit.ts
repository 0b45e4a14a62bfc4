import { type Instant, day as oneDay } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { type AuditEntry, dayOf, type Head, readHead } from '../run/audit-chain.ts';
import { type Broken, ChainCheck, checkKept, type Report } from '../run/audit-check.ts';
import type { Chain } from '../store/audit.ts';
import { checkLists, type InChain, inChain, placeOf } from './audit-lists.ts';

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
  const entries = new Map<string, InChain>();
  const own = await checkChain(audit, null, range, report, entries);
  for (const kept of range.kept ?? []) checkKept(kept, await audit.get(kept.number), report);

  // Chains of other installations: the own one says, with each import, how far they reached.
  const imported = importedHeads(entries.values());
  for (const id of await audit.broughtIds()) {
    const chain = audit.brought(id);
    const theirs: Report = (kind, entry, day, text) =>
      report(kind, entry, day, `in the chain ${id} that was imported: ${text}`);
    await checkChain(chain, id, range, theirs, entries);
    for (const kept of imported.get(id) ?? []) checkKept(kept, await chain.get(kept.number), theirs);
  }

  const lists = await checkLists(store, { entries, from: range.from, to: range.to }, report, now);
  // What has no number stands at the end of its day.
  const place = ({ entry, day }: Broken) => entry ?? own.heads.find((one) => one.day >= day)?.number ?? own.to;
  broken.sort((a, b) => place(a) - place(b));
  return { entries: entries.size, heads: own.heads, broken, ...lists };
}

/** @returns the last entry of each day that was looked at, oldest first, and the number that the range ends with */
async function checkChain(
  chain: Chain,
  id: string | null,
  range: Range,
  report: Report,
  entries: Map<string, InChain>,
): Promise<{ heads: Head[]; to: number }> {
  const head = await chain.head();
  const from = range.from === undefined ? 1 : await firstOf(chain, head, range.from);
  const to = range.to === undefined ? (head?.number ?? 0) : (await firstOf(chain, head, nextDay(range.to))) - 1;
  const check = new ChainCheck(to, report);
  const heads: Head[] = [];
  for await (const { at, entry } of chain.list({ from, to }, (number) => check.unreadable(number))) {
    check.take(at, entry);
    entries.set(placeOf(id, at), inChain(id, at, entry));
    if (heads.at(-1)?.day !== entry.day) heads.push({ number: at, day: entry.day, digest: entry.digest });
  }
  if (to >= from) check.end(from, from > 1 ? await chain.get(from - 1) : undefined);
  return { heads: heads.reverse(), to };
}

/** Chain → its heads, as the entries of their imports have them. */
function importedHeads(entries: Iterable<InChain>): Map<string, Head[]> {
  const heads = new Map<string, Head[]>();
  for (const { imported } of entries) {
    const head = imported && readHead(imported.head);
    if (head) heads.set(imported.chain, [...(heads.get(imported.chain) ?? []), head]);
  }
  return heads;
}

/** The lowest number whose day is not before this one: days only grow, so the range is halved until it is found. */
async function firstOf({ get }: Chain, head: AuditEntry | undefined, day: string): Promise<number> {
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
