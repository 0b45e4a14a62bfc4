import { z } from 'zod';
import { type ErrorClass, errorClasses } from '../job/error-class.ts';

/**
 * The contract between the service and the shim that runs one attempt inside a process or container:
 * the service hands the shim an {@link AttemptSpec}, the shim leaves an {@link AttemptResult} as `result.json`.
 * The Python side is `infra/runtime/lamplighter_shim/`.
 */

/** What a blob URL is for is fixed by its signature: create, append, or read of exactly one blob. */
const url = z.url();

export const attemptSpec = z.object({
  version: z.literal(1),
  job: z.string(),
  /** The run without its job, e.g. `20261120T070000Z`. */
  run: z.string(),
  /** Counts from 1. */
  attempt: z.int().positive(),
  /** The slot, ISO 8601 in UTC. */
  scheduledFor: z.string(),
  /** argv; a first word `python` or `python3` means the interpreter of the prepared environment. */
  command: z.array(z.string()).min(1),
  /** Python version the job asks uv for; null: the interpreter that runs the shim. */
  python: z.string().nullable(),
  /** Plain environment variables of the job. */
  env: z.record(z.string(), z.string()),
  /** Environment variable → value; null: the platform has put the value into the shim's own environment. */
  secrets: z.record(z.string(), z.string().nullable()),
  /** The job's code: a zip named by its SHA-256 (hex). `locked`: it holds a uv.lock to install from. */
  bundle: z.object({ digest: z.string(), url, locked: z.boolean() }),
  /** Files put into the work directory before the command starts. */
  inputs: z.array(z.object({ path: z.string(), url, sha256: z.string() })),
  /** Declared output files, relative to the work directory, and where each is kept. */
  outputs: z.array(z.object({ path: z.string(), url })),
  timeoutMs: z.int().positive(),
  /** Between SIGTERM and SIGKILL. */
  graceMs: z.int().nonnegative(),
  /** Beyond this the middle of the log is left out, and said so. */
  logLimitBytes: z.int().positive(),
  heartbeatMs: z.int().positive(),
  /** How long the shim keeps trying to deliver log and result while storage is unavailable. */
  deliverMs: z.int().nonnegative(),
  blobs: z.object({ started: url, heartbeat: url, log: url, result: url }),
  /** POSTed `{job, run, attempt}` when the result is stored; null: no one listens. Losing it costs a minute, nothing else. */
  nudge: url.nullable(),
  /** Directory for things worth keeping between runs (bundles, uv environments); null: none. */
  cache: z.string().nullable(),
});
export type AttemptSpec = z.infer<typeof attemptSpec>;

export const errorClass = z.enum(errorClasses);
export type { ErrorClass };

/** What exactly failed, as far as it is known: a finer kind within a class, for the advice that an alert gives. */
export const errorKinds = [
  'dependency-missing',
  'dependency-mismatch',
  'shadowed-module', // a script of the job is named like a library
  'script-missing',
  'syntax',
  'auth-401',
  'auth-403',
  'auth', // credentials refused, without a status code
  'rate-limit',
  'remote-5xx',
  'remote-404',
  'remote-4xx',
  'remote-bad-body', // the answer is not JSON
  'network-timeout',
  'dns',
  'network-refused',
  'network', // any other loss of a connection
  'tls', // a certificate that is not trusted, expired, or of another host
  'schema', // a field or column is missing or of another type
  'config-missing', // an environment variable or setting
  'data-or-code',
  'memory',
  'memory-kill',
  'timeout',
  'crash', // SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE
  'interrupted',
  'terminated',
  'killed',
  'command-not-found', // exit code 126 or 127
  'file-not-found',
  'file-permission',
  'readonly-fs',
  'disk-full',
  'database',
  'subprocess',
  'exception-group',
  'exception', // of the job's own or of a library's type
  'exit', // the job chose an exit code
] as const;
export type ErrorKind = (typeof errorKinds)[number];

/** A number, or counts by category. Names are checked by the shim; values are finite. */
export const metricValue = z.union([z.number(), z.record(z.string(), z.number())]);
export type MetricValue = z.infer<typeof metricValue>;

const profileColumn = z.object({
  name: z.string(),
  type: z.enum(['number', 'text', 'boolean', 'mixed', 'empty']),
  /** Share of empty cells, 0–1. */
  nulls: z.number(),
  min: z.number().optional(),
  max: z.number().optional(),
  mean: z.number().optional(),
  /** Standard deviation of the population. */
  sd: z.number().optional(),
  distinct: z.int().optional(),
  /** Most frequent values and their counts, at most 10. */
  top: z.array(z.tuple([z.string(), z.int()])).optional(),
});
export const outputProfile = z.object({
  format: z.enum(['csv', 'tsv', 'json', 'jsonl', 'xlsx']),
  rows: z.int(),
  columns: z.array(profileColumn),
  /** True when the file was too large to be read whole: the figures are of the rows read. */
  partial: z.boolean(),
});
export type OutputProfile = z.infer<typeof outputProfile>;

export const keptOutput = z.object({
  path: z.string(),
  bytes: z.int().optional(),
  sha256: z.string().optional(),
  profile: outputProfile.optional(),
  /** Why it was not kept, or not profiled. */
  problem: z.string().optional(),
});
export type KeptOutput = z.infer<typeof keptOutput>;

export const attemptResult = z.object({
  version: z.literal(1),
  job: z.string(),
  run: z.string(),
  attempt: z.int().positive(),
  /** `stopped`: a person asked the shim to end (cancel, host going down). */
  outcome: z.enum(['succeeded', 'failed', 'timed-out', 'stopped']),
  exitCode: z.int().nullable(),
  /** Name of the signal that ended the job, e.g. SIGKILL. */
  signal: z.string().nullable(),
  error: z
    .object({
      class: errorClass,
      /** One line for people, e.g. `KeyError: 'email'` or `exit code 255`; redacted. */
      message: z.string(),
      /** Last lines of the traceback or of stderr; redacted. */
      detail: z.string(),
      // What follows is optional: a shim of one version back does not write it.
      /** One of {@link errorKinds}, or one that a newer shim knows. */
      kind: z.string().max(40).optional(),
      /** The classes of an exception group's parts, each once, in the order of the parts. */
      parts: z.array(errorClass).optional(),
      /** The same for the same failure at another time, in another run or job: class, exception types and frames. */
      fingerprint: z
        .string()
        .regex(/^[0-9a-f]{1,16}$/)
        .optional(),
      /** The host that a network, server, throttling or authorization error names, in small letters. */
      host: z.string().max(253).optional(),
    })
    .nullable(),
  /** Exit code 0, and yet the log holds an error that looks unhandled, e.g. one that ended a thread; redacted. */
  suspect: z
    .object({
      /** One line for people, e.g. `ValueError: thread died`. */
      message: z.string(),
      detail: z.string(),
      fingerprint: z
        .string()
        .regex(/^[0-9a-f]{1,16}$/)
        .optional(),
    })
    .optional(),
  /** When the shim took the attempt, when the job's own process began, when it ended; ISO 8601 UTC. */
  startedAt: z.string(),
  jobStartedAt: z.string().nullable(),
  endedAt: z.string(),
  cpuMs: z.number(),
  peakMemoryBytes: z.number(),
  log: z.object({
    /** As the job wrote it, before any cap. */
    bytes: z.int(),
    lines: z.int(),
    capped: z.boolean(),
    /** The whole log when it was short and clean UTF-8; null: see the blob `log.txt`. */
    text: z.string().nullable(),
  }),
  metrics: z.record(z.string(), metricValue),
  /** Lines of $JOB_METRICS that were not taken, each with line number and reason; at most 20. */
  metricProblems: z.array(z.string()),
  outputs: z.array(keptOutput),
  /** Inputs that were placed: path → sha256. */
  inputs: z.record(z.string(), z.string()),
  /** Python version that ran the job, e.g. `3.11.7`. */
  python: z.string(),
  /** Requests to storage that this attempt made, this result's own included. */
  storageCalls: z.int(),
});
export type AttemptResult = z.infer<typeof attemptResult>;
