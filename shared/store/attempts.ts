import type { Instant } from '../instant.ts';
import { type AttemptResult, type AttemptSpec, attemptResult } from '../run/attempt.ts';

export interface AttemptId {
  job: string;
  run: string;
  attempt: number;
}

/** The blobs that an attempt leaves behind. Absent is undefined; an outage throws. */
export interface Attempts {
  /** Create-only, append-only or read-only addresses, each of one blob. */
  urls(
    id: AttemptId,
    outputs: string[],
    until: Instant,
  ): Promise<{
    blobs: { started: string; heartbeat: string; log: string; result: string };
    outputs: { path: string; url: string }[];
  }>;
  outputUrl(id: AttemptId, path: string, until: Instant): Promise<string>;
  /** Stores the specification. @returns where the shim reads it and then removes it: of no use to the one that comes later */
  ticket(id: AttemptId, spec: AttemptSpec, until: Instant): Promise<string>;
  /** Takes the attempt away from any shim that has not begun it. False: a shim has begun. */
  abandon(id: AttemptId, by: string): Promise<boolean>;
  /** When a shim began it; undefined: none has, as when the attempt was removed before. */
  begun(id: AttemptId): Promise<Instant | undefined>;
  /** Newest sign of life: heartbeat, or the start. */
  lastHeartbeat(id: AttemptId): Promise<Instant | undefined>;
  /** Whether its last heartbeat says that the job is over, and the shim is delivering what it left. */
  delivering(id: AttemptId): Promise<boolean>;
  /** @throws UnreadableResult */
  result(id: AttemptId): Promise<AttemptResult | undefined>;
  /** The last bytes of the log, at most `most`; undefined: there is no log blob. */
  logTail(id: AttemptId, most: number): Promise<Buffer | undefined>;
  /** Leaves a result where no shim does; the first one stays. @returns false: there is one already */
  leave(id: AttemptId, result: AttemptResult): Promise<boolean>;
  /** An output as text; undefined: there is none, or it is larger than `most` bytes. */
  output(id: AttemptId, output: string, most: number): Promise<string | undefined>;
  /** Marks an output as used now, so that storage does not remove it for its age. False: it is gone. */
  keep(id: AttemptId, output: string): Promise<boolean>;
  /** Removes what all attempts of a run have left. */
  removeAll(job: string, run: string): Promise<void>;
  /** Bytes of the log from `offset`; empty at its present end, undefined when there is no log blob (yet). */
  log(id: AttemptId, offset: number): Promise<Buffer | undefined>;
}

/** Longest result that is read, bytes: a shim writes at most 512 KiB, and a job may have put anything there. */
export const mostResult = 4 << 20;
/** The same of marks. */
export const mostMark = 64 << 10;

/** A result is there and says nothing: reading it again cannot help. */
export class UnreadableResult extends Error {
  constructor(blob: string, cause: unknown, what = 'is not a result as the shim writes it') {
    super(`${blob} ${what}: do service and shim have the same version?`, { cause });
    this.name = 'UnreadableResult';
  }
}

/** Of a heartbeat. The body is `{}` while the job runs, and has `delivering` afterwards. */
export function saysDelivering(heartbeat: string): boolean {
  try {
    return Boolean((JSON.parse(heartbeat) as { delivering?: unknown }).delivering);
  } catch {
    return false;
  }
}

/**
 * @param bytes at most one more than {@link mostResult}, which shows one that is too long
 * @param place for the error
 * @throws UnreadableResult
 */
export function readResult(bytes: Buffer, place: string): AttemptResult {
  if (bytes.length > mostResult) {
    throw new UnreadableResult(place, undefined, `is longer than ${mostResult >> 20} MiB`);
  }
  try {
    return attemptResult.parse(JSON.parse(bytes.toString()));
  } catch (error) {
    throw new UnreadableResult(place, error);
  }
}
