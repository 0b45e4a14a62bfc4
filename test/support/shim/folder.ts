import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type AttemptResult, type AttemptSpec, attemptResult, attemptSpec } from '../../../shared/run/attempt.ts';
import { type Files, type Left, Log, zip } from './shim.ts';

type Over = Partial<Omit<AttemptSpec, 'outputs'>> & { outputs?: string[] };

/** Directories on this machine that attempts leave everything in, as the embedded store lays them out. */
export class Folder {
  readonly root: string;
  private attempts = 0;

  private constructor(root: string) {
    this.root = root;
  }

  /** @param name of the directory; a blank or a percent sign is as good as any letter */
  static async create(name = 'a store of 100%'): Promise<Folder> {
    const root = join(await mkdtemp(join(tmpdir(), 'folder-')), name);
    await mkdir(root);
    return new Folder(root);
  }

  /** Stores a bundle of the files and returns a specification that runs `python main.py`; `over` wins. */
  async spec(files: Files | string, { outputs, ...over }: Over = {}): Promise<AttemptSpec> {
    const archive = await zip(typeof files === 'string' ? { 'main.py': files } : files);
    const digest = createHash('sha256').update(archive).digest('hex');
    const run = `run${++this.attempts}`;
    const { job = 'score-prospects' } = over;
    const folder = join(this.root, job, run, '1');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const bundle = join(this.root, `${digest}.zip`);
    await writeFile(bundle, archive, { mode: 0o600 });
    const at = (name: string) => pathToFileURL(join(folder, name)).href;
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
      bundle: { digest, url: pathToFileURL(bundle).href, locked: false },
      inputs: [],
      outputs: (outputs ?? []).map((path) => ({ path, url: at(`outputs/${path}`) })),
      timeoutMs: 20_000,
      graceMs: 300,
      logLimitBytes: 10 << 20,
      heartbeatMs: 20_000,
      deliverMs: 10_000,
      blobs: {
        started: at('started.json'),
        heartbeat: at('heartbeat'),
        log: at('log.txt'),
        result: at('result.json'),
      },
      nudge: null,
      cache: null,
      ...over,
    } satisfies AttemptSpec);
  }

  /** Whether the attempt has left that file. */
  async has(spec: AttemptSpec, name: string): Promise<boolean> {
    return existsSync(new URL(name, spec.blobs.started));
  }

  async left(spec: AttemptSpec): Promise<Left> {
    return { result: await this.result(spec), log: await this.log(spec) };
  }

  async result(spec: AttemptSpec): Promise<AttemptResult> {
    return attemptResult.parse(JSON.parse(await readFile(fileURLToPath(spec.blobs.result), 'utf8')));
  }

  async log(spec: AttemptSpec): Promise<Log> {
    return new Log(await readFile(fileURLToPath(spec.blobs.log)));
  }
}
