import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';
import { serviceAudit } from '../../shared/actions/clock.ts';
import { type Instant, iso } from '../../shared/instant.ts';
import { headText } from '../../shared/run/audit-chain.ts';
import type { Run } from '../../shared/run/run.ts';
import { auditCodec, type Chain, chainId } from '../../shared/store/audit.ts';
import type { ListedEvent } from '../../shared/store/events.ts';
import type { FileBody } from '../../shared/store/files.ts';
import { pastPartition } from '../../shared/store/incidents.ts';
import { jobCodec } from '../../shared/store/jobs.ts';
import type { KeptStore } from '../../shared/store/store.ts';
import { Refusal } from '../refusal.ts';
import { formatVersion, type Header, headerName, isLeft, rowsAnEntry, type Totals, totalsName } from './format.ts';
import { type Kind, kinds, lineOf, settled } from './kinds.ts';
import { addFile, addText } from './tar.ts';

export interface ExportOptions {
  /** Only these; empty: all. */
  jobs: readonly string[];
  /** Only what is history of this instant and later; the audit is whole in any case. */
  since: Instant | undefined;
  now: Instant;
}

export interface Exported extends Totals {
  /** Runs and incidents that are not over, and stay. */
  underWay: number;
  /** Rows that cannot be read. */
  unreadable: number;
}

/** Writes all history of a store into one new file, in memory that does not grow with it. @throws Refusal */
export async function exportHistory(store: KeptStore, target: string, options: ExportOptions): Promise<Exported> {
  const file = resolve(target);
  if (await stat(file).catch(() => undefined)) throw new Refusal(`${file} is there already: name another file.`);
  const draft = `${file}.${process.pid}`;
  const tar = pack();
  const written = pipeline(tar, createGzip(), createWriteStream(draft, { mode: 0o600, flags: 'wx' }));
  try {
    const work = new Work(store, tar, options);
    const [exported] = await Promise.all([work.all(), written]);
    await synced(draft);
    await rename(draft, file);
    return exported;
  } catch (error) {
    tar.destroy();
    await written.catch(() => {});
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

class Work {
  readonly #store: KeptStore;
  readonly #tar: Pack;
  readonly #options: ExportOptions;
  readonly #done: Exported = { rows: {}, files: 0, bytes: 0, underWay: 0, unreadable: 0 };
  readonly #bundles = new Set<string>();
  /** Chain of the audit, '' the store's own → how many of its entries are in the file. */
  readonly #entries = new Map<string, number>();

  constructor(store: KeptStore, tar: Pack, options: ExportOptions) {
    this.#store = store;
    this.#tar = tar;
    this.#options = options;
  }

  async all(): Promise<Exported> {
    const chains = await this.#chains();
    const { jobs, since, now } = this.#options;
    const header: Header = {
      lamplighter: 'history',
      format: formatVersion,
      made: iso(now),
      jobs: jobs.length > 0 ? [...jobs] : null,
      since: since === undefined ? null : iso(since),
      chains: chains.map(({ id, entries, head }) => ({ id, entries, head })),
    };
    await addText(this.#tar, headerName, `${JSON.stringify(header, null, 2)}\n`);
    for (const one of chains) await this.#audit(one);
    for (const job of await this.#jobs()) await this.#job(job);
    // Of what is no job: the service itself.
    if (jobs.length === 0) {
      await this.#rows('events', serviceAudit);
      await this.#incidents(null);
    }
    for (const digest of this.#bundles) await this.#bundle(digest);
    const { rows, files, bytes } = this.#done;
    await addText(this.#tar, totalsName, `${JSON.stringify({ rows, files, bytes }, null, 2)}\n`);
    this.#tar.finalize();
    return this.#done;
  }

  /** With some jobs only there is none: the chain is of all jobs. */
  async #chains(): Promise<{ id: string; entries: number; head: string; chain: Chain }[]> {
    const { audit } = this.#store;
    if (this.#options.jobs.length > 0) return [];
    const ids = await audit.broughtIds();
    const found = [];
    for (const name of ['', ...ids]) {
      const chain = name === '' ? audit : audit.brought(name);
      const [first, head] = [await chain.get(1), await chain.head()];
      this.#entries.set(name, head?.number ?? 0);
      if (first && head) found.push({ id: chainId(first), entries: head.number, head: headText(head), chain });
    }
    return found;
  }

  /** Oldest first: an import can go on where a chain ends. */
  async #audit({ id, entries, chain }: { id: string; entries: number; chain: Chain }): Promise<void> {
    for (let from = 1; from <= entries; from += rowsAnEntry) {
      const lines: string[] = [];
      const to = Math.min(from + rowsAnEntry - 1, entries);
      const range = chain.list({ from, to }, () => this.#unreadable());
      for await (const { entry } of range) lines.push(lineOf(auditCodec, entry));
      await this.#lines('audit', id, lines.reverse());
    }
  }

  async #jobs(): Promise<string[]> {
    const names: string[] = [];
    const lines: string[] = [];
    for await (const { value } of this.#store.jobs.all(() => this.#unreadable())) {
      const { jobs } = this.#options;
      if (jobs.length > 0 && !jobs.includes(value.name)) continue;
      names.push(value.name);
      if (value.bundle !== '') this.#bundles.add(value.bundle);
      lines.push(lineOf(jobCodec, settled(value)));
    }
    const missing = this.#options.jobs.filter((name) => !names.includes(name));
    if (missing.length > 0)
      throw new Refusal(`There is no history of ${missing.join(', ')}: lamp jobs lists the jobs.`);
    await this.#lines('jobs', 'all', lines);
    return names;
  }

  async #job(job: string): Promise<void> {
    for (const kind of Object.keys(kinds)) {
      if (kind === 'events' && this.#options.jobs.length > 0) continue;
      if (kind === 'incidents') await this.#incidents(job);
      else await this.#rows(kind, job);
    }
  }

  /** One that was resolved a short while ago is among the open ones, and may be open again: it is for a later file. */
  async #incidents(job: string | null): Promise<void> {
    for await (const _ of this.#store.incidents.openOf(job)) this.#done.underWay += 1;
    await this.#rows('incidents', pastPartition(job));
  }

  get #since(): Instant {
    return this.#options.since ?? Number.NEGATIVE_INFINITY;
  }

  /** What was entered after the audit was read is for the next file. */
  #isLater(event: ListedEvent): boolean {
    return event.entry !== null && event.entry > (this.#entries.get(event.chain ?? '') ?? 0);
  }

  async #rows(name: string, job: string): Promise<void> {
    const kind = kinds[name] as Kind<unknown>;
    const lines: string[] = [];
    let runs: Run[] = [];
    const flush = async () => {
      await this.#lines(name, job, lines);
      for (const run of runs) await this.#left(run);
      lines.length = 0;
      runs = [];
    };
    const listing = { ...kind.range, page: 1_000, unreadable: () => this.#unreadable() };
    for await (const { value } of this.#store.rows(kind.table, kind.codec).list(job, listing)) {
      if ((kind.at(value) ?? Number.POSITIVE_INFINITY) < this.#since) continue;
      if (name === 'events' && this.#isLater(value as ListedEvent)) continue;
      if (!kind.over(value)) {
        this.#done.underWay += 1;
        continue;
      }
      lines.push(lineOf(kind.codec, value));
      if (name === 'runs') runs.push(value as Run);
      if (lines.length === rowsAnEntry) await flush();
    }
    await flush();
  }

  /** What the attempts of a run have left. */
  async #left({ job, id, versions }: Run): Promise<void> {
    if (versions?.bundle) this.#bundles.add(versions.bundle);
    for await (const path of this.#store.files.attempts.list(`${job}/${id}/`)) {
      if (isLeft(path)) await this.#file(`attempts/${path}`, await this.#store.files.attempts.read(path));
    }
  }

  async #bundle(digest: string): Promise<void> {
    const path = `${digest}.zip`;
    await this.#file(`bundles/${path}`, await this.#store.files.bundles.read(path));
  }

  /** @param body undefined: it is not kept any more */
  async #file(name: string, body: FileBody | undefined): Promise<void> {
    if (!body) return;
    await addFile(this.#tar, { name, bytes: body.bytes, at: new Date(body.at), body: body.stream });
    this.#done.files += 1;
    this.#done.bytes += body.bytes;
  }

  readonly #numbers = new Map<string, number>();

  async #lines(kind: string, of: string, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const number = (this.#numbers.get(`${kind}/${of}`) ?? 0) + 1;
    this.#numbers.set(`${kind}/${of}`, number);
    const name = `rows/${kind}/${of}/${String(number).padStart(6, '0')}.jsonl`;
    await addText(this.#tar, name, `${lines.join('\n')}\n`);
    this.#done.rows[kind] = (this.#done.rows[kind] ?? 0) + lines.length;
  }

  #unreadable(): void {
    this.#done.unreadable += 1;
  }
}

async function synced(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.sync().finally(() => file.close());
}
