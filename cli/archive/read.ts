import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { ZodType } from 'zod';
import type { Run } from '../../shared/run/run.ts';
import type { ListedEvent } from '../../shared/store/events.ts';
import type { FileBody } from '../../shared/store/files.ts';
import { jobCodec } from '../../shared/store/jobs.ts';
import type { KeptStore } from '../../shared/store/store.ts';
import { Refusal } from '../refusal.ts';
import { bringAudit, type Chains, judgeChains } from './audit.ts';
import {
  formatVersion,
  type Header,
  headerName,
  headerShape,
  isLeft,
  type Totals,
  totalsName,
  totalsShape,
} from './format.ts';
import { kinds, readLine, settled } from './kinds.ts';
import { type Tally, writeRows } from './rows.ts';
import { type Entry, entriesOf } from './tar.ts';

export interface Imported {
  /** Kind of row → what became of it. */
  rows: Record<string, Tally>;
  files: {
    added: number;
    there: number;
    /** Left out: the store has a run of its own in the place of theirs, or one that goes on. */
    kept: number;
  };
  /** Chains of the audit that stand beside the store's own, as that one has begun otherwise. */
  brought: string[];
}

/** Rows in one entry are at most 500, and a row takes at most a megabyte. */
const mostText = 512 << 20;
/** The header and the totals are some lines. */
const mostMeta = 1 << 20;

/**
 * Puts the history of a file into a store. Nothing that is there is written over, except what changes with time and is
 * newer in the file; the same again changes nothing, so one that was broken off is simply done again.
 * @param person who asks, for the audit
 * @throws Refusal: it is no such file, of a newer version, or cut
 */
export async function importHistory(store: KeptStore, source: string, person: string, now: number): Promise<Imported> {
  const file = resolve(source);
  if (!(await stat(file).catch(() => undefined))?.isFile()) {
    throw new Refusal(`${file} cannot be read: name a file that lamp export has written.`);
  }
  return new Work(store, file, person, now).all();
}

class Work {
  readonly #store: KeptStore;
  readonly #file: string;
  readonly #person: string;
  readonly #now: number;
  readonly #done: Imported = { rows: {}, files: { added: 0, there: 0, kept: 0 }, brought: [] };
  readonly #seen: Totals = { rows: {}, files: 0, bytes: 0 };
  /**
   * `<job>/<run>` of the last rows of runs that stand in the store as in the file: their files come next. Both stores name
   * a run by its slot, and the pipeline would take the result of another run of that name for the end of its own.
   */
  #carried = new Set<string>();

  constructor(store: KeptStore, file: string, person: string, now: number) {
    this.#store = store;
    this.#file = file;
    this.#person = person;
    this.#now = now;
  }

  async all(): Promise<Imported> {
    const header = await this.#header();
    const chains = await judgeChains(this.#store.audit, header, () => this.#entries());
    let totals: Totals | undefined;
    for await (const entry of this.#entries()) {
      const [folder = '', kind = ''] = entry.name.split('/');
      if (entry.name === totalsName) totals = this.#read(totalsShape, entry.name, await this.#json(entry));
      else if (folder === 'rows') await this.#rows(kind, entry, chains);
      else if (folder === 'attempts' || folder === 'bundles') await this.#left(folder, entry);
      else if (entry.name !== headerName) throw this.#wrong(`it holds ${entry.name}`);
    }
    if (JSON.stringify(sorted(totals)) !== JSON.stringify(sorted(this.#seen))) {
      throw this.#wrong('it ends too early; what came until then is in the store');
    }
    this.#done.brought = await chains.record(this.#store, this.#person, this.#now);
    return this.#done;
  }

  async *#entries(): AsyncGenerator<Entry> {
    try {
      yield* entriesOf(this.#file);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (!/^Z_|^ERR_STREAM_PREMATURE_CLOSE$/.test(code ?? '') && !/tar|end of data/i.test(message)) throw error;
      throw this.#wrong(message);
    }
  }

  async #header(): Promise<Header> {
    for await (const entry of this.#entries()) {
      if (entry.name !== headerName) break;
      const found = await this.#json(entry);
      const format = (found as { format?: unknown } | null)?.format;
      if (typeof format === 'number' && format > formatVersion) {
        const what = `${this.#file} has format ${format}, and this Lamplighter knows ${formatVersion}`;
        throw new Refusal(`${what}: a newer one has written it; import it with that one.`);
      }
      return this.#read(headerShape, entry.name, found);
    }
    throw this.#wrong(`it does not begin with ${headerName}`);
  }

  /** What header and totals hold, as yet unread. */
  async #json({ name, bytes, body }: Entry): Promise<unknown> {
    if (bytes > mostMeta) throw this.#wrong(`${name} is too large`);
    const found = await text(body);
    try {
      return JSON.parse(found);
    } catch {
      throw this.#wrong(`${name} is no JSON`);
    }
  }

  #read<T>(shape: ZodType<T>, name: string, found: unknown): T {
    const { data, error } = shape.safeParse(found);
    if (data !== undefined) return data;
    const { path, message } = error?.issues[0] ?? { path: [], message: '' };
    throw this.#wrong(`${[name, ...path].join(' ')}: ${message}`);
  }

  async #rows(kind: string, { name, bytes, body }: Entry, chains: Chains): Promise<void> {
    if (bytes > mostText) throw this.#wrong(`${name} is too large`);
    const lines = (await text(body)).trimEnd().split('\n');
    this.#seen.rows[kind] = (this.#seen.rows[kind] ?? 0) + lines.length;
    this.#done.rows[kind] ??= { added: 0, newer: 0, there: 0, kept: 0 };
    const tally = this.#done.rows[kind];
    try {
      if (kind === 'audit') return await bringAudit(this.#store.audit, chains, name.split('/')[2] ?? '', lines, tally);
      if (kind === 'jobs') return await this.#jobs(lines, tally);
      const one = kinds[kind];
      if (!one) throw new SyntaxError(`there are no rows of the kind ${kind}`);
      const values = lines.map((line) => readLine(one.codec, line));
      const fitting = kind === 'events' ? (values as ListedEvent[]).map(chains.placed) : values;
      const standing = await writeRows(this.#store, one, fitting, tally);
      if (kind === 'runs') {
        const runs = standing as Run[];
        await this.#store.recent.append(runs.filter(({ trigger }) => trigger !== 'replay'));
        this.#carried = new Set(runs.map(({ job, id }) => `${job}/${id}`));
      }
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) {
        throw this.#wrong(`${name}: ${error.message}`);
      }
      throw error;
    }
  }

  /** A job that has run here keeps its row; of one that has not, the past and a person's pause are taken over. */
  async #jobs(lines: readonly string[], tally: Tally): Promise<void> {
    for (const line of lines) {
      const row = settled(readLine(jobCodec, line));
      if (await this.#store.jobs.insert(row)) tally.added += 1;
      else {
        const { last, streak, paused } = row;
        const change = await this.#store.jobs.amend(row.name, (there) =>
          there.last === null && last !== null
            ? { ...there, last, streak, paused: there.paused ?? paused, alarmed: 0 }
            : undefined,
        );
        if (change?.written) tally.newer += 1;
        else tally.there += 1;
      }
    }
  }

  async #left(folder: 'attempts' | 'bundles', { name, bytes, at, body }: Entry): Promise<void> {
    const path = name.slice(folder.length + 1);
    this.#seen.files += 1;
    this.#seen.bytes += bytes;
    const isNew =
      folder === 'bundles'
        ? await this.#bundle(path, at.getTime(), body)
        : await this.#attempt(path, { bytes, at: at.getTime(), stream: body });
    if (isNew === undefined) this.#done.files.kept += 1;
    else if (isNew) this.#done.files.added += 1;
    else this.#done.files.there += 1;
  }

  /** @returns undefined: it is of no run that was brought */
  async #attempt(path: string, file: FileBody): Promise<boolean | undefined> {
    if (!isLeft(path)) throw this.#wrong(`it holds the file ${path}`);
    const [job, run] = path.split('/');
    return this.#carried.has(`${job}/${run}`) ? this.#store.files.attempts.create(path, file) : undefined;
  }

  /** Its name says what is in it, so that is looked at before it counts as the code of a job. */
  async #bundle(path: string, at: number, body: Readable): Promise<boolean> {
    const [, digest] = /^([0-9a-f]{64})\.zip$/.exec(path) ?? [];
    if (digest === undefined) throw this.#wrong(`it holds the file ${path}`);
    const folder = await mkdtemp(join(tmpdir(), 'lamp-import-'));
    try {
      const draft = join(folder, 'bundle');
      const hash = createHash('sha256');
      body.on('data', (some) => hash.update(some));
      await pipeline(body, createWriteStream(draft, { mode: 0o600 }));
      if (hash.digest('hex') !== digest) throw this.#wrong(`the bundle ${digest} is not what its name says`);
      const { size } = await stat(draft);
      return await this.#store.files.bundles.create(path, { bytes: size, at, stream: createReadStream(draft) });
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  #wrong(what: string): Refusal {
    return new Refusal(`${this.#file} is no sound file of lamp export (${what}): export again.`);
  }
}

async function text(body: Readable): Promise<string> {
  return (await buffer(body)).toString();
}

function sorted(totals: Totals | undefined): unknown {
  if (!totals) return null;
  const { rows, files, bytes } = totals;
  return { rows: Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1)), files, bytes };
}
