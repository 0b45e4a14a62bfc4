import { day, type Instant } from '../instant.ts';

/** A person is notified this many days before a secret expires, and every day once it has. */
const daysAhead = [30, 7, 1];

/**
 * Whether a warning has come due after `last` and until `now`; several that were missed are one. The one that asks with the
 * instant of the last time that the warnings were reported loses none, however long that is ago, and repeats none.
 * @param last undefined: never reported
 * @returns whole days left, below zero once it has expired; undefined: nothing to report
 */
export function dueWarning(expiresOn: Instant, last: Instant | undefined, now: Instant): number | undefined {
  const due = warningsBy(expiresOn, now) > (last === undefined ? 0 : warningsBy(expiresOn, last));
  return due ? Math.floor((expiresOn - now) / day) : undefined;
}

/** Whether a secret is so near its end, or beyond it, that a first warning has come due. */
export function isIll(expiresOn: Instant, now: Instant): boolean {
  return warningsBy(expiresOn, now) > 0;
}

/** How many warnings have come due by `at`. */
function warningsBy(expiresOn: Instant, at: Instant): number {
  const ahead = daysAhead.filter((days) => at >= expiresOn - days * day).length;
  return at < expiresOn ? ahead : ahead + 1 + Math.floor((at - expiresOn) / day);
}
