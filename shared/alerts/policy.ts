import { day, hour, minute } from '../instant.ts';
import type { Cause, Incident, Severity } from '../store/incidents.ts';

/**
 * How loud and how often: the one table of waits. Every figure is from the moment the incident opened, or from the
 * message before.
 */

/** Failures of one cause that come within this time go into one message. */
export const groupWait = 30_000;
/** Jobs that join a group which was reported already are reported together, this long after the message before. */
export const groupInterval = 5 * minute;
/** A resolved incident that comes back within this time is the same incident. */
export const calm = day;
/** Comings back within `calm` that are reported one by one; after them only reminders are sent until it stays calm. */
export const flapsReported = 1;
/** Reminders of one group that fall due within this time are sent together. */
export const remindTogether = 15 * minute;

const reminders: Record<Severity, { first: number; longest: number }> = {
  critical: { first: hour, longest: day },
  error: { first: 4 * hour, longest: day },
  warning: { first: day, longest: 7 * day },
};
/** Of an incident that was acknowledged. */
const acknowledgedReminder: Record<Severity, number> = { critical: day, error: 3 * day, warning: 7 * day };

const escalations: Record<Incident['tier'], readonly [successor: number, fallback: number]> = {
  critical: [30 * minute, hour],
  standard: [4 * hour, 8 * hour],
  'low-risk': [day, 3 * day],
};

/** Wait until the next reminder, ms: it doubles from the first to the longest. */
export function reminderAfter({ severity, state, reminders: sent }: Incident): number {
  if (state === 'acknowledged') return acknowledgedReminder[severity];
  const { first, longest } = reminders[severity];
  return Math.min(first * 2 ** Math.min(sent, 20), longest);
}

/** Wait from opening until it goes to level `level + 1`, ms; null: it goes no further. Warnings are never escalated. */
export function escalationAfter({ tier, level, severity }: Incident): number | null {
  return severity === 'warning' ? null : (escalations[tier][level] ?? null);
}

const asFailure: Record<Incident['tier'], Severity> = {
  critical: 'critical',
  standard: 'error',
  'low-risk': 'warning',
};
const milder: Record<Severity, Severity> = { critical: 'error', error: 'warning', warning: 'warning' };
/** The job's work is not done: these count in full. All others are a step milder. */
const grave: readonly Cause[] = ['failed', 'timed-out', 'lost', 'missed', 'late-start', 'late-finish'];

/** How bad a cause is for a job of this tier. */
export function severityOf(cause: Cause, tier: Incident['tier']): Severity {
  if (cause === 'too-long') return 'warning';
  if (cause === 'scheduler' || cause === 'channel') return 'error';
  return grave.includes(cause) ? asFailure[tier] : milder[asFailure[tier]];
}
