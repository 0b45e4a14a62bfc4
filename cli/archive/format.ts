import { z } from 'zod';
import { isName } from '../../shared/store/files.ts';

/**
 * A file of history: a tar, gzipped, that a person can look into (`tar -tzf`).
 *
 *   lamplighter.json                         what it is, first
 *   rows/<kind>/000001.jsonl                 rows as JSON, one a line, at most 500
 *   attempts/<job>/<run>/<attempt>/…         what attempts have left
 *   bundles/<digest>.zip                     the code of jobs
 *   totals.json                              how much there was, last: without it the file is cut
 */
export const formatVersion = 1;
export const headerName = 'lamplighter.json';
export const totalsName = 'totals.json';
export const rowsAnEntry = 500;

const chain = z.object({ id: z.string(), entries: z.int().positive(), head: z.string() });

export const headerShape = z.object({
  lamplighter: z.literal('history'),
  format: z.int().positive(),
  made: z.string(),
  /** Only runs of these jobs, and of slots since then; null: all. */
  jobs: z.array(z.string()).nullable(),
  since: z.string().nullable(),
  /** Of the audit: its own chain first, then those that it was brought by imports. */
  chains: z.array(chain),
});
export type Header = z.infer<typeof headerShape>;

/** Kind of row → how many; files, with bundles, and their bytes. */
export const totalsShape = z.object({
  rows: z.record(z.string(), z.int().nonnegative()),
  files: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
});
export type Totals = z.infer<typeof totalsShape>;

/** What of an attempt is history: neither its tickets nor its signs of life. */
const leftBehind = /^(started\.json|log\.txt|result\.json|outputs\/.+)$/;

/** Whether a path below `attempts/` is one: <job>/<run>/<attempt>/<name>, where no part leads anywhere else. */
export function isLeft(path: string): boolean {
  const [job, run, attempt, ...name] = path.split('/');
  const plain = [job, run].every((part) => part !== undefined && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(part));
  return plain && name.every(isName) && /^[1-9]\d{0,5}$/.test(attempt ?? '') && leftBehind.test(name.join('/'));
}
