import { createHash } from 'node:crypto';
import type { ErrorClass } from '../run/attempt.ts';
import type { Attempt } from '../run/run.ts';

/** The version is part of each key: a better rule must not split what is open. */
const version = 'v1';
/** Failures of these classes are of another party: its host alone says which failure it is. */
const ofOthers: readonly ErrorClass[] = ['network', 'throttled', 'server', 'authorization'];

/**
 * Key under which the same failure of several jobs is one message: the host of another party, the words of the platform,
 * or the shim's fingerprint (class, exception types, frames); null: it has nothing to be recognised by.
 */
export function groupOf({ errorClass, error, fingerprint, host }: Attempt): string | null {
  if (errorClass === null) return null;
  if (errorClass === 'infrastructure' && error !== null) return `${version}|platform|${digest(normalised(error))}`;
  if (host && ofOthers.includes(errorClass)) return `${version}|host|${host}`;
  return fingerprint ? `${version}|${errorClass}|${fingerprint}` : null;
}

/** A message of the platform without what differs from run to run: queries, ids, numbers, folders, names of jobs. */
export function normalised(text: string): string {
  return text
    .slice(0, 2_000)
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/'"?#]+)[^\s'")>]*/gi, '$1')
    .replace(/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, 'x')
    .replace(/\b(?:0x)?[0-9a-f]{12,}\b/gi, 'x')
    .replace(/(?:[A-Za-z]:)?(?:[\\/][\w.@-]+)+[\\/]([\w.@-]+)/g, '$1')
    .replace(/(["'“`])[^"'”`]{1,200}(["'”`])/g, '$1…$2')
    .replace(/\d+/g, '0')
    .replace(/\s+/g, ' ')
    .trim();
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
