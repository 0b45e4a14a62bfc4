import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Executor, StartError } from '../../../shared/executors/executor.ts';
import { type Instant, iso } from '../../../shared/instant.ts';
import type { AttemptResult, AttemptSpec, ErrorClass } from '../../../shared/run/attempt.ts';
import type { AttemptId } from '../../../shared/store/attempts.ts';

/**
 * What a platform may do with an attempt. `run`: begins, and goes on until it is asked to end or to stop; `vanish`:
 * begins, and is gone without a word; `never`: accepted, and nothing follows; `refuse`: a StartError, nothing started;
 * `refuse-started`: a StartError, though it runs; `cut`: runs, and the answer to the start is lost; `twice`: two shims.
 */
export type Behaviour =
  | 'succeed'
  | 'fail'
  | 'run'
  | 'vanish'
  | 'never'
  | 'refuse'
  | 'refuse-started'
  | 'cut'
  | 'twice'
  | 'garbage';

/** Stands in for a platform and for the shims on it. Shims write through the addresses of their spec, as real ones. */
export class FakePlatform implements Executor {
  readonly name = 'fake';
  readonly startGraceMs = 30_000;
  readonly needsSecretValues = true;
  readonly image = null;
  /** Every call of start. */
  readonly starts: AttemptSpec[] = [];
  /** Attempt → how many shims have got to run it. */
  readonly executions = new Map<string, number>();
  /** Attempts that have left a result and not yet been reported. */
  readonly nudges: AttemptId[] = [];
  readonly stops: string[] = [];
  behave: (spec: AttemptSpec) => Behaviour = () => 'succeed';
  errorClass: ErrorClass = 'application';
  /** What else a failure says of itself. */
  failure: { host?: string; fingerprint?: string; kind?: string } = {};
  /** What an attempt leaves besides: figures, and files of its declared outputs. */
  leaves: (spec: AttemptSpec) => { metrics?: AttemptResult['metrics']; files?: Record<string, string> } = () => ({});
  private readonly clock: () => Instant;
  private readonly create: (url: string, body: string) => Promise<boolean>;
  private readonly alive = new Map<string, { spec: AttemptSpec; since: Instant }>();
  private readonly heartbeats = new Map<string, { begun: Instant; last: Instant }>();

  /** @param put creates a blob as a shim does; left out: over HTTP */
  constructor(clock: () => Instant, put = create) {
    this.clock = clock;
    this.create = put;
  }

  async start(spec: AttemptSpec): Promise<string> {
    this.starts.push(spec);
    const behaviour = this.behave(spec);
    if (behaviour === 'refuse') throw new StartError('infrastructure', 'no room');
    if (behaviour !== 'never') await this.shim(spec, behaviour);
    if (behaviour === 'twice') await this.shim(spec, behaviour);
    if (behaviour === 'refuse-started') throw new StartError('infrastructure', 'the platform says no');
    if (behaviour === 'cut') throw new Error('socket hang up');
    return key(spec);
  }

  async status(id: AttemptId): Promise<'running' | 'unknown'> {
    return this.alive.has(key(id)) ? 'running' : 'unknown';
  }

  async stop(id: AttemptId): Promise<void> {
    this.stops.push(key(id));
    if (this.alive.has(key(id))) await this.end(id, 'stopped');
  }

  /** The attempts that run now, in the order of their start. */
  running(job?: string): AttemptSpec[] {
    return [...this.alive.values()].map(({ spec }) => spec).filter((spec) => job === undefined || spec.job === job);
  }

  /** Lets a running attempt come to its end. */
  async end(id: AttemptId, outcome: AttemptResult['outcome'] = 'succeeded'): Promise<void> {
    const found = this.alive.get(key(id));
    if (!found) throw new Error(`${key(id)} does not run`);
    this.alive.delete(key(id));
    await this.leave(found.spec, found.since, outcome);
  }

  /** Ends a running attempt without a word. */
  kill(id: AttemptId): void {
    this.heartbeat(id);
    this.alive.delete(key(id));
  }

  /** When an attempt began, and its last sign of life, by the clock of the test rather than that of the store. */
  life(id: AttemptId): { begun: Instant; last: Instant } | undefined {
    if (this.alive.has(key(id))) this.heartbeat(id);
    return this.heartbeats.get(key(id));
  }

  private heartbeat(id: AttemptId): void {
    const life = this.heartbeats.get(key(id));
    if (life) life.last = this.clock();
  }

  private async shim(spec: AttemptSpec, behaviour: Behaviour): Promise<void> {
    if (!(await this.create(spec.blobs.started, '{"pid":1}'))) return;
    const now = this.clock();
    this.executions.set(key(spec), (this.executions.get(key(spec)) ?? 0) + 1);
    this.heartbeats.set(key(spec), { begun: now, last: now });
    if (behaviour === 'vanish') return;
    if (behaviour === 'garbage') await this.create(spec.blobs.result, '{"version":1,"outcome":NaN');
    else if (behaviour === 'succeed' || behaviour === 'twice') await this.leave(spec, now, 'succeeded');
    else if (behaviour === 'fail') await this.leave(spec, now, 'failed');
    else this.alive.set(key(spec), { spec, since: now });
  }

  private async leave(spec: AttemptSpec, since: Instant, outcome: AttemptResult['outcome']): Promise<void> {
    const result = resultOf(spec, since, this.clock(), outcome, this.errorClass);
    if (result.error) Object.assign(result.error, this.failure);
    const { metrics = {}, files = {} } = this.leaves(spec);
    result.metrics = metrics;
    for (const { path, url } of spec.outputs) if (files[path] !== undefined) await this.create(url, files[path]);
    if (await this.create(spec.blobs.result, JSON.stringify(result))) {
      this.nudges.push({ job: spec.job, run: spec.run, attempt: spec.attempt });
    }
  }
}

export function key({ job, run, attempt }: AttemptId): string {
  return `${job}.${run}#${attempt}`;
}

export function resultOf(
  id: AttemptId,
  from: Instant,
  to: Instant,
  outcome: AttemptResult['outcome'],
  errorClass: ErrorClass = 'application',
): AttemptResult {
  return {
    version: 1,
    job: id.job,
    run: id.run,
    attempt: id.attempt,
    outcome,
    exitCode: outcome === 'succeeded' ? 0 : outcome === 'failed' ? 1 : null,
    signal: null,
    error: outcome === 'succeeded' ? null : { class: errorClass, message: `it ${outcome}`, detail: '' },
    startedAt: iso(from),
    jobStartedAt: iso(from),
    endedAt: iso(to),
    cpuMs: 1,
    peakMemoryBytes: 1,
    log: { bytes: 0, lines: 0, capped: false, text: '' },
    metrics: {},
    metricProblems: [],
    outputs: [],
    inputs: {},
    python: '3.12.0',
    storageCalls: 2,
  };
}

/** Creates a blob as the shim does. False: it is there already. */
export async function create(url: string, body: string): Promise<boolean> {
  if (url.startsWith('file:')) return createFile(fileURLToPath(url), body);
  const headers = { 'x-ms-blob-type': 'BlockBlob', 'If-None-Match': '*' };
  const answer = await fetch(url, { method: 'PUT', headers, body });
  const { status } = answer;
  if (status === 201) return true;
  // A signature that may only create is looked at before the condition: so says Azure, and so Azurite.
  const refused = ['UnauthorizedBlobOverwrite', 'AuthorizationPermissionMismatch'];
  if (status === 409 || refused.includes(answer.headers.get('x-ms-error-code') ?? '')) return false;
  throw new Error(`PUT ${new URL(url).pathname}: ${status}`);
}

async function createFile(path: string, body: string): Promise<boolean> {
  try {
    // The folder of an attempt is made by the store; those of its outputs by the shim.
    if (path.includes('/outputs/')) await mkdir(dirname(path), { recursive: true });
    await writeFile(path, body, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
