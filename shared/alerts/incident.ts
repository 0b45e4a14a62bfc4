import { createHash } from 'node:crypto';
import type { Instant } from '../instant.ts';
import type { Cause, Incident, Step } from '../store/incidents.ts';
import { calm, escalationAfter, flapsReported, groupWait, reminderAfter, severityOf } from './policy.ts';

/** What was seen to be wrong, before it is known whether an incident of it is open. */
export interface Sighting {
  job: string | null;
  cause: Cause;
  subject?: string;
  tier: Incident['tier'];
  text: string;
  errorClass?: string | null;
  errorKind?: string | null;
  group?: string | null;
  run?: string | null;
  slot?: Instant | null;
  /** When it was so: the end of the run; left out: now. */
  at?: Instant;
  /** When it began to be so, where that is known; left out: now. */
  since?: Instant;
  /** How many times this is; more than 1 for slots missed in one outage. */
  times?: number;
}

/** A new incident; its first message waits for others of the same cause. */
export function opened(seen: Sighting, now: Instant): Incident {
  const { job, cause, subject = '', tier, text, errorClass = null, errorKind = null } = seen;
  const { group = null, run = null, slot = null } = seen;
  return {
    id: idOf(job, cause, subject, now),
    job,
    cause,
    subject,
    severity: severityOf(cause, tier),
    tier,
    state: 'open',
    openedAt: now,
    since: seen.since ?? now,
    lastAt: seen.at ?? now,
    evidenceAt: seen.at ?? now,
    count: seen.times ?? 1,
    resolvedAt: null,
    firstRun: run,
    run,
    slot,
    text,
    errorClass,
    errorKind,
    group,
    acknowledged: null,
    flaps: 0,
    step: 1,
    kind: 'opened',
    reported: 0,
    batch: null,
    reportAt: now + groupWait,
    reportedAt: null,
    reminders: 0,
    level: 0,
  };
}

function idOf(job: string | null, cause: Cause, subject: string, at: Instant): string {
  const which = subject === '' ? '' : `.${createHash('sha256').update(subject).digest('hex').slice(0, 8)}`;
  return `${job ?? '(service)'}.${cause}${which}.${at}`;
}

/**
 * The incident after it was seen again; undefined when that run was counted already. One that had been resolved comes
 * back as itself; after some ups and downs that is said once as flapping, and from then on only reminders are sent.
 */
export function seenAgain(incident: Incident, seen: Sighting, now: Instant): Incident | undefined {
  const {
    run = null,
    slot = null,
    text,
    errorClass = null,
    errorKind = null,
    group = null,
    times = 1,
    tier,
    at = now,
  } = seen;
  if (at < incident.evidenceAt) return undefined;
  if (incident.state !== 'resolved' && run !== null && run === incident.run) {
    return text === incident.text ? undefined : { ...incident, text, errorClass, errorKind };
  }
  const next: Incident = {
    ...incident,
    ...{ text, errorClass, errorKind, run, slot, tier, lastAt: at, evidenceAt: at, count: incident.count + times },
    severity: severityOf(incident.cause, tier),
  };
  if (incident.state !== 'resolved') {
    // Each time it is seen is a day that was chosen for a reminder.
    return incident.cause === 'secret' ? report(next, 'reminder', now + groupWait) : next;
  }
  const flaps = incident.flaps + 1;
  const back: Incident = { ...next, group, flaps, state: 'open', resolvedAt: null, acknowledged: null };
  // Its recovery was never reported: for people it was never gone.
  if (incident.reported < incident.step && incident.kind === 'resolved') {
    return { ...back, step: incident.step - 1, kind: 'opened' };
  }
  if (flaps > flapsReported + 1) return back;
  if (flaps > flapsReported) return report(back, 'flapping', now + groupWait);
  return report({ ...back, since: seen.since ?? now, reminders: 0, level: 0 }, 'opened', now + groupWait);
}

/**
 * The incident after it was seen to be good again; undefined when it was already.
 * @param at when it was so: the end of the run
 */
export function resolved(incident: Incident, now: Instant, at: Instant = now): Incident | undefined {
  if (incident.state === 'resolved' || at < incident.evidenceAt) return undefined;
  const next: Incident = { ...incident, state: 'resolved', resolvedAt: now, evidenceAt: at };
  if (isFlapping(incident)) return next;
  // Not reported yet: its first message says that it is over.
  const untold = incident.reported < incident.step;
  if (untold && (incident.kind === 'opened' || incident.kind === 'flapping')) return next;
  return report(next, 'resolved', now + groupWait);
}

/** The incident after another one took its place: it is over, and that is not worth a message. */
export function superseded(incident: Incident, now: Instant): Incident | undefined {
  if (incident.state === 'resolved') return undefined;
  return { ...incident, state: 'resolved', resolvedAt: now, reported: incident.step };
}

/** More is known of it: a message that is out is followed by one with the news; undefined: it says so already. */
export function withNews(incident: Incident, text: string, group: string | null, now: Instant): Incident | undefined {
  if (incident.state === 'resolved' || incident.text === text) return undefined;
  const next = { ...incident, text };
  if (isUnreported(incident)) return { ...next, group: incident.reported === 0 ? group : incident.group };
  return report(next, 'reminder', now);
}

/** A person says it is over, whatever the runs say. */
export function resolvedByHand(incident: Incident, now: Instant): Incident | undefined {
  if (incident.state === 'resolved') return undefined;
  return report({ ...incident, state: 'resolved', resolvedAt: now, flaps: 0 }, 'resolved', now);
}

/** Someone takes it: it is escalated no further. */
export function acknowledged(incident: Incident, by: string, why: string, at: Instant): Incident | undefined {
  if (incident.state !== 'open') return undefined;
  return { ...incident, state: 'acknowledged', acknowledged: { by, why, at } };
}

export function isFlapping({ flaps }: Incident): boolean {
  return flaps > flapsReported;
}

/**
 * What time alone makes of an incident: a reminder, an escalation, the end of flapping; undefined: nothing yet.
 * @param slack reminders due that soon are sent now, with those of the same group
 */
export function afterTime(incident: Incident, now: Instant, slack = 0): Incident | undefined {
  const { state, reportedAt, level, since } = incident;
  // One message at a time: the one before is not out yet.
  if (reportedAt === null || incident.reported < incident.step) return undefined;
  if (state === 'resolved') {
    const over = isFlapping(incident) && now >= (incident.resolvedAt ?? now) + calm;
    return over ? report({ ...incident, flaps: 0 }, 'resolved', now) : undefined;
  }
  if (incident.cause === 'secret') return undefined;
  const escalation = escalationAfter(incident);
  if (state === 'open' && escalation !== null && now >= since + escalation) {
    return report({ ...incident, level: level + 1, reminders: incident.reminders + 1 }, 'escalated', now);
  }
  if (now + slack < reportedAt + reminderAfter(incident)) return undefined;
  return report({ ...incident, reminders: incident.reminders + 1 }, 'reminder', now);
}

/** Whether all is said and it has stayed good: it belongs into the history. */
export function isOver(incident: Incident, now: Instant): boolean {
  if (incident.state !== 'resolved' || incident.reported < incident.step || isFlapping(incident)) return false;
  return now >= (incident.resolvedAt ?? now) + calm;
}

export function isUnreported({ step, reported }: Incident): boolean {
  return reported < step;
}

/** The message that the present step of an incident goes into; null: none has been chosen. */
export function batchOf({ step, batch }: Incident): string | null {
  return batch?.startsWith(`${step} `) ? batch.slice(String(step).length + 1) : null;
}

/** @param key null: the message was made without it */
export function inBatch(incident: Incident, key: string | null): Incident {
  return { ...incident, batch: key === null ? null : `${incident.step} ${key}` };
}

/** After its message has a place in the outbox. */
export function reported(incident: Incident, step: number, now: Instant): Incident | undefined {
  return incident.reported >= step ? undefined : { ...incident, reported: step, reportedAt: now };
}

function report(incident: Incident, kind: Step, reportAt: Instant): Incident {
  return { ...incident, kind, step: incident.step + 1, reportAt };
}
