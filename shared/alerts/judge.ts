import type { Instant } from '../instant.ts';
import type { Job } from '../job/job.ts';
import { currentAttempt, isFinal, type Run } from '../run/run.ts';
import { metricProblems, outputProblems } from '../run/warnings.ts';
import type { Cause, Incident } from '../store/incidents.ts';
import { rings, serviceGroup } from './clocks.ts';
import { groupOf } from './fingerprint.ts';
import type { Sighting } from './incident.ts';

/** What is wrong with a run that is over. Jobs that are not in production raise nothing. */
export function sightings(run: Run, job: Job | undefined, now: Instant): Sighting[] {
  if (job && job.status !== 'production') return [];
  const tier = job?.tier ?? 'standard';
  const at = run.endedAt === null ? {} : { at: run.endedAt };
  const about = { job: run.job, tier, run: run.id, slot: run.slot, ...at };
  const found: Sighting[] = rings(run, job, { begun: null, tooLongMs: null }, now).map((ring) => ({
    ...about,
    ...ring,
  }));
  const failure = failureOf(run);
  if (failure) found.push({ ...about, ...failure });
  const suspect = currentAttempt(run)?.suspect;
  if (run.state === 'succeeded' && suspect) found.push({ ...about, cause: 'suspect', text: suspect });
  for (const { name, text } of metricProblems(run, job)) found.push({ ...about, cause: 'metric', subject: name, text });
  if (run.state === 'succeeded') {
    for (const { name, text } of outputProblems(run)) found.push({ ...about, cause: 'output', subject: name, text });
  }
  return found;
}

type Failure = Pick<Sighting, 'cause' | 'text' | 'errorClass' | 'errorKind' | 'group' | 'times'>;

function failureOf(run: Run): Failure | null {
  const attempt = currentAttempt(run);
  const text = attempt?.error ?? run.reason ?? 'no reason is known';
  switch (run.state) {
    case 'failed':
    case 'timed-out':
    case 'lost': {
      const { errorClass = null, errorKind = null } = attempt ?? {};
      return { cause: run.state, text, errorClass, errorKind, group: attempt ? groupOf(attempt) : null };
    }
    case 'missed': {
      // Claimed as missed by a tick that came late; one that was given up later has waited for something of its own.
      const outage = run.endedAt === run.createdAt;
      return { cause: 'missed', text: run.reason ?? text, group: outage ? serviceGroup : null, times: run.slots };
    }
    default:
      return null;
  }
}

/** What a run does to an incident that it does not show: ends it, or takes its place without a word. */
export type Effect = 'resolves' | 'supersedes' | null;

const needsSuccess: readonly Cause[] = [
  ...(['failed', 'timed-out', 'lost', 'missed', 'late-finish', 'too-short', 'suspect', 'metric', 'output'] as const),
];

/** Whether the end of a run may end an incident of this cause. */
export function endsWithRun(cause: Cause): boolean {
  return cause === 'too-long' || cause === 'late-start' || needsSuccess.includes(cause);
}

/** @param run final; one that does not show the incident. */
export function effectOn(incident: Incident, run: Run): Effect {
  if (!isFinal(run.state) || run.state === 'skipped') return null;
  const same = incident.run === run.id;
  const good = run.state === 'succeeded';
  if (incident.cause === 'too-long') return same ? (good ? 'resolves' : 'supersedes') : null;
  if (incident.cause === 'late-start' && same && run.state === 'missed') return 'supersedes';
  // An older slot that ends after a newer one says nothing of the newer; a rerun is a person's proof.
  const older =
    incident.slot !== null && run.slot < incident.slot && run.trigger !== 'rerun' && run.trigger !== 'manual';
  if (older) return null;
  if (incident.cause === 'late-start') return run.startedAt !== null ? 'resolves' : null;
  return good && needsSuccess.includes(incident.cause) ? 'resolves' : null;
}
