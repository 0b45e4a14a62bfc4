import { buffer } from 'node:stream/consumers';
import { serviceAudit } from '../../shared/actions/clock.ts';
import { type AuditEntry, headText } from '../../shared/run/audit-chain.ts';
import { type Audit, auditCodec, chainId } from '../../shared/store/audit.ts';
import type { ListedEvent } from '../../shared/store/events.ts';
import type { Store } from '../../shared/store/store.ts';
import { Refusal } from '../refusal.ts';
import type { Header } from './format.ts';
import { readLine } from './kinds.ts';
import type { Tally } from './rows.ts';
import type { Entry } from './tar.ts';

/** Where the chains of a file go. */
export interface Chains {
  /** Chain of the file → the chain of the store; null: its own. */
  readonly targets: ReadonlyMap<string, string | null>;
  /** The event as it is listed here. */
  placed(listed: ListedEvent): ListedEvent;
  /** Enters into the own chain how far the others reach, so that no one can shorten them unseen. @returns those */
  record(store: Store, by: string, now: number): Promise<string[]>;
}

/**
 * A chain cannot be joined to another. The file's own goes on as the store's where the store has none, or one that is its
 * beginning, or its continuation; else it stands beside that, whole, and can be verified.
 */
export async function judgeChains(
  audit: Audit,
  { chains }: Header,
  entries: () => AsyncIterable<Entry>,
): Promise<Chains> {
  const [first, head] = [await audit.get(1), await audit.head()];
  const ours = first && chainId(first);
  const targets = new Map<string, string | null>();
  for (const [at, { id, entries: length }] of chains.entries()) {
    const same = ours === undefined ? at === 0 : ours === id && (await continues(audit, id, length, entries));
    targets.set(id, same ? null : id);
  }
  const own = chains[0]?.id;
  return {
    targets,
    placed({ chain: from = own, ...listed }) {
      const chain = from === undefined ? null : (targets.get(from) ?? null);
      return chain === null ? listed : { ...listed, chain };
    },
    async record(store, by, now) {
      const brought = [...targets.values()].filter((id) => id !== null);
      for (const id of brought) {
        const reached = await store.audit.brought(id).head();
        if (!reached || (await isRecorded(store, headText(reached)))) continue;
        const details = { chain: id, head: headText(reached), entries: reached.number };
        await store.events.append({ job: serviceAudit, at: now, kind: 'imported', by, why: '', details });
      }
      return brought;
    },
  };

  /** Whether the store's chain and this one are the same as far as both reach: then all before is the same, too. */
  async function continues(audit: Audit, id: string, length: number, entries: () => AsyncIterable<Entry>) {
    const common = Math.min(head?.number ?? 0, length);
    const here = await audit.get(common);
    for await (const { name, body } of entries()) {
      const [folder, kind, chain] = name.split('/');
      if (folder !== 'rows' || kind !== 'audit' || chain !== id) continue;
      for (const line of (await buffer(body)).toString().trimEnd().split('\n')) {
        const entry = readLine(auditCodec, line);
        if (entry.number === common) return entry.digest === here?.digest;
      }
    }
    return false;
  }
}

async function isRecorded(store: Store, head: string): Promise<boolean> {
  for await (const { kind, details } of store.events.list(serviceAudit)) {
    if (kind === 'imported' && details.head === head) return true;
  }
  return false;
}

/** @param id of the chain, as the file names it */
export async function bringAudit(
  audit: Audit,
  { targets }: Chains,
  id: string,
  lines: readonly string[],
  tally: Tally,
): Promise<void> {
  const target = targets.get(id);
  if (target === undefined) throw new SyntaxError(`the chain ${id} is not in the list of chains`);
  const entries = lines.map((line): AuditEntry => readLine(auditCodec, line));
  const unordered = entries.find(({ number }, at) => number <= (entries[at - 1]?.number ?? 0));
  if (unordered) throw new SyntaxError(`entry ${unordered.number} of the audit is not in its place`);
  const { added, conflict } = await audit.bring(target, entries);
  if (conflict !== null) {
    throw new Refusal(
      `entry ${conflict} of the audit is another one in the store: a host has gone on there meanwhile. Import again.`,
    );
  }
  tally.added += added;
  tally.there += entries.length - added;
}
