import type { AttemptSpec, ErrorClass } from '../run/attempt.ts';
import type { AttemptId } from '../store/attempts.ts';

/** Where attempts run. One file per backend in `executors/`, one contract suite for all of them. */
export interface Executor {
  readonly name: string;
  /** How long after `start` the shim may take to begin before the watch gives the attempt up, ms. */
  readonly startGraceMs: number;
  /** Whether secret values must come with the spec, or the platform injects them. */
  readonly needsSecretValues: boolean;
  /** Digest of the image that runs, where there is one. */
  readonly image: string | null;
  /**
   * Starts one attempt and resolves with its handle once the platform has accepted it. Starting the same attempt twice
   * is safe: only one shim gets to run it.
   * @throws StartError
   */
  start(spec: AttemptSpec): Promise<string>;
  /** A second opinion only: the result blob decides. @throws when the platform cannot be asked: that is not `unknown` */
  status(attempt: AttemptRef): Promise<Status>;
  /** Asks the shim to end the job: SIGTERM, grace, SIGKILL. Resolves when asked, not when done; ended already is fine. */
  stop(attempt: AttemptRef): Promise<void>;
}

/**
 * What a platform knows of an attempt. `ended`: its shim is gone for good. `out-of-memory`: so it is, killed for lack of
 * memory. `unknown`: the platform has no trace of it.
 */
export type Status = 'running' | 'ended' | 'out-of-memory' | 'unknown';

export interface AttemptRef extends AttemptId {
  handle: string | null;
}

/** A start that did not happen, as far as the platform says. */
export class StartError extends Error {
  readonly class: ErrorClass;
  /** How long the platform asks to be left alone, ms; undefined: it does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(errorClass: ErrorClass, message: string, cause?: unknown, retryAfterMs?: number) {
    super(message, { cause });
    this.name = 'StartError';
    this.class = errorClass;
    this.retryAfterMs = retryAfterMs;
  }
}
