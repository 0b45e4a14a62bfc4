import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import {
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { ZipFile } from 'yazl';
import { type AttemptResult, type AttemptSpec, attemptResult, attemptSpec } from '../../../shared/run/attempt.ts';
import { freshAccount } from '../storage/account.ts';

/** Path → text, bytes, or bytes with a file mode. */
export type Files = Record<string, string | Buffer | { data: string | Buffer; mode: number }>;
export const python = process.env.SHIM_PYTHON ?? '/usr/bin/python3';
export const shim = join(import.meta.dirname, '../../../infra/runtime/lamplighter_shim');

export interface Ended {
  code: number | null;
  said: string;
  ms: number;
}
/** What an attempt has left. */
export interface Left {
  result: AttemptResult;
  log: Log;
}
type Entry = { at: string; marker: string; text: Buffer };

/** A storage account of its own, and everything needed to run attempts against it. */
export class World {
  readonly container: ContainerClient;
  private readonly key: StorageSharedKeyCredential;
  private attempts = 0;

  private constructor(connection: string) {
    const part = (name: string) => new RegExp(`${name}=([^;]+)`).exec(connection)?.[1] ?? '';
    this.key = new StorageSharedKeyCredential(part('AccountName'), part('AccountKey'));
    this.container = BlobServiceClient.fromConnectionString(connection).getContainerClient('runs');
  }

  static async create(): Promise<World> {
    const world = new World(freshAccount());
    await world.container.create();
    return world;
  }

  /** The signed address of a blob; `through` replaces the host and port, as a proxy would. */
  url(blob: string, permissions: string, through?: string): string {
    const query = generateBlobSASQueryParameters(
      {
        containerName: 'runs',
        blobName: blob,
        permissions: BlobSASPermissions.parse(permissions),
        expiresOn: new Date(Date.now() + 3_600_000),
      },
      this.key,
    );
    const url = `${this.container.getBlobClient(blob).url}?${query}`;
    return through ? url.replace(/127\.0\.0\.1:\d+/, through) : url;
  }

  async put(blob: string, data: Buffer): Promise<{ url: string; sha256: string }> {
    await this.container.getBlockBlobClient(blob).upload(data, data.length);
    return { url: this.url(blob, 'r'), sha256: createHash('sha256').update(data).digest('hex') };
  }

  /** Stores a bundle of the files and returns a specification that runs `python main.py`; `over` wins. */
  async spec(
    files: Files | string,
    {
      through,
      outputs,
      ...over
    }: Partial<Omit<AttemptSpec, 'outputs'>> & { through?: string; outputs?: string[] } = {},
  ) {
    const archive = await zip(typeof files === 'string' ? { 'main.py': files } : files);
    const digest = createHash('sha256').update(archive).digest('hex');
    const bundle = await this.put(`bundles/${digest}.zip`, archive);
    const run = `run${++this.attempts}`;
    const at = (name: string, permissions: string) => this.url(`${run}/${name}`, permissions, through);
    return attemptSpec.parse({
      version: 1,
      job: 'score-prospects',
      run,
      attempt: 1,
      scheduledFor: '2026-11-20T07:00:00Z',
      command: ['python', 'main.py'],
      python: null,
      env: {},
      secrets: {},
      bundle: { digest, url: bundle.url, locked: false },
      inputs: [],
      outputs: (outputs ?? []).map((path) => ({ path, url: at(`outputs/${path}`, 'c') })),
      timeoutMs: 20_000,
      graceMs: 300,
      logLimitBytes: 10 << 20,
      heartbeatMs: 20_000,
      deliverMs: 10_000,
      blobs: {
        started: at('started.json', 'cr'),
        heartbeat: at('heartbeat', 'cw'),
        log: at('log.txt', 'ac'),
        result: at('result.json', 'c'),
      },
      nudge: null,
      cache: null,
      ...over,
    } satisfies AttemptSpec);
  }

  /** Whether the attempt has left that file. */
  async has(spec: AttemptSpec, name: string): Promise<boolean> {
    return this.exists(`${spec.run}/${name}`);
  }

  async exists(blob: string): Promise<boolean> {
    return this.container.getBlobClient(blob).exists();
  }

  async read(blob: string): Promise<Buffer> {
    return this.container.getBlobClient(blob).downloadToBuffer();
  }

  /** Runs the attempt to its end and reads what it left; fails when there is no valid result. */
  async run(spec: AttemptSpec, env: Variables = {}): Promise<Left & Ended> {
    const ended = await start(spec, env).ended;
    if (ended.code !== 0) throw new Error(`the shim ended with ${ended.code}: ${ended.said}`);
    return { ...ended, ...(await this.left(spec)) };
  }

  async left(spec: AttemptSpec): Promise<Left> {
    const result = attemptResult.parse(JSON.parse((await this.read(`${spec.run}/result.json`)).toString()));
    const text = result.log.text;
    return { result, log: new Log(text === null ? await this.read(`${spec.run}/log.txt`) : Buffer.from(text)) };
  }
}
type Variables = { [name: string]: string };

/** A log as it is stored; throws when a record is not in the form of one. */
export class Log {
  readonly records: Entry[];
  readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.records = split(bytes).map((line) => {
      const at = line.subarray(0, 24).toString('latin1');
      const marker = line.subarray(24, 25).toString('latin1');
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at) || !' +#'.includes(marker) || marker === '')
        throw new Error(`not a record of a log: ${line.subarray(0, 100).toString('latin1')}`);
      return { at, marker, text: line.subarray(25) };
    });
  }
  /** The lines of the job, put together again. */
  get job(): Buffer {
    const parts = this.records
      .filter(({ marker }) => marker !== '#')
      .flatMap(({ marker, text }) => (marker === '+' ? [text] : [text, Buffer.from('\n')]));
    return Buffer.concat(parts);
  }
  /** What Lamplighter said. */
  get ours(): string[] {
    return this.records.filter(({ marker }) => marker === '#').map(({ text }) => text.toString());
  }
}

function split(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    if (end < 0) throw new Error('the log ends in the middle of a record');
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return lines;
}

/** Starts the shim with the specification on its stdin; `env` is all of its environment besides PATH and HOME. */
export function start(spec: AttemptSpec, env: Variables = {}): { child: ChildProcess; ended: Promise<Ended> } {
  const began = performance.now();
  const stdin = env.LAMPLIGHTER_SPEC ? 'ignore' : 'pipe';
  const child = spawn(python, ['-I', '-S', shim], {
    stdio: [stdin, 'inherit', 'pipe'],
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(JSON.stringify(spec));
  const said = child.stderr ? buffer(child.stderr) : Promise.resolve(Buffer.alloc(0));
  const ended = once(child, 'close').then(async ([code]) => ({
    code: code as number | null,
    said: (await said).toString(),
    ms: performance.now() - began,
  }));
  return { child, ended };
}

/** Waits until the condition gives something; the test's own time limit ends a vain wait. */
export async function until<T>(condition: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await condition();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function zip(files: Files): Promise<Buffer> {
  const archive = new ZipFile();
  for (const [path, file] of Object.entries(files)) {
    const { data, mode } = typeof file === 'string' || Buffer.isBuffer(file) ? { data: file, mode: 0o100644 } : file;
    archive.addBuffer(Buffer.from(data as string), path, { mtime: new Date('2026-01-01T00:00:00Z'), mode });
  }
  archive.end();
  return buffer(archive.outputStream as unknown as NodeJS.ReadableStream);
}
