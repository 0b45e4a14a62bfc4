import type { Finding } from './drift/finding.ts';
import type { Replayed } from './drift/replay.ts';
import { type Instant, iso } from './instant.ts';
import { type Head, headText } from './run/audit-chain.ts';
import { currentAttempt, type Run, runName } from './run/run.ts';
import type { Incident } from './store/incidents.ts';
import { withoutQueries } from './text.ts';

/** Every event that the service reports while it works, in one place: what it is called, what it carries, how it reads. */
export type Event =
  | { type: 'run-claimed'; run: Run }
  | { type: 'run-not-started'; run: Run }
  | { type: 'run-waiting'; run: Run; reason: string }
  /** It should have begun: minutes past its slot, or past its `startBy`. Once a run, for an incident. */
  | { type: 'run-late'; run: Run; reason: string }
  /** Its attempt goes on although its time limit is over. Once an attempt, for an incident. */
  | { type: 'run-overdue'; run: Run }
  /** It is not over although its `finishBy` has passed. Once a run, for an incident. */
  | { type: 'run-past-finish-by'; run: Run }
  /** An attempt left its result after it had been given up; the run stays as it ended. */
  | { type: 'result-late'; run: Run; attempt: number; outcome: string }
  | { type: 'attempt-started'; run: Run }
  | { type: 'attempt-failed'; run: Run }
  | { type: 'run-finished'; run: Run }
  | { type: 'run-cancel-asked'; run: Run }
  | { type: 'launch-unreadable'; text: string }
  /** `days`: whole days left; below zero: it has expired. */
  | { type: 'secret-expiring'; secret: string; jobs: string[]; expiresOn: Instant; days: number }
  | { type: 'secret-unusable'; secret: string; jobs: string[]; error: string }
  /** Metrics of a job have moved away from their past; again with each metric that joins. */
  | { type: 'drift-found'; finding: Finding }
  /** The service has replayed the frozen examples of a job. */
  | { type: 'replayed'; replayed: Replayed }
  /** They are inside their usual range again. */
  | { type: 'drift-recovered'; finding: Finding }
  /** What must be heard about an incident is on its way. */
  | { type: 'incident-reported'; incident: Incident }
  | { type: 'alert-not-sent'; channel: string; key: string; error: string; permanent: boolean }
  /** A tick is done. `behindMs`: for how long slots had not been claimed when it began; 0 when all goes well. */
  | { type: 'ticked'; host: string; jobs: number; behindMs: number; tookMs: number; setAside: number }
  /** The host's clock was not that of the store. */
  | { type: 'clock-corrected'; byMs: number }
  /** The newest entry of the audit, once a day: kept elsewhere it shows that nothing before it was changed. */
  | { type: 'audit-head'; head: Head }
  | { type: 'trouble'; doing: string; error: unknown };

export type Emit = (event: Event) => void;

/** One line for people; undefined for what is not worth one. */
export function eventText(event: Event): string | undefined {
  switch (event.type) {
    case 'run-claimed':
    case 'ticked':
      return undefined;
    case 'run-not-started':
      return `${runName(event.run)} ${event.run.state}: ${event.run.reason ?? ''}`;
    case 'run-waiting':
      return `${runName(event.run)} waits: ${event.reason}`;
    case 'run-late':
      return `${runName(event.run)} is late: ${event.reason}`;
    case 'run-overdue':
      return `${runName(event.run)} is over its time limit and goes on: it is being stopped`;
    case 'run-past-finish-by':
      return `${runName(event.run)} is not finished, due by ${iso(event.run.finishBy ?? 0)}`;
    case 'result-late':
      return `${runName(event.run)} is ${event.run.state}, and attempt ${event.attempt} left a result after it was given up: ${event.outcome}`;
    case 'attempt-started':
      return `${runName(event.run)} started${attemptText(event.run)}`;
    case 'attempt-failed': {
      const { run } = event;
      // Nothing of it has run: its reason says what it waits for.
      if (run.reason !== null) return `${runName(run)} ${run.reason}; tried again at ${iso(run.nextAttemptAt ?? 0)}`;
      return `${runName(run)} failed${attemptText(run)}: ${errorText(run)}; again at ${iso(run.nextAttemptAt ?? 0)}`;
    }
    case 'run-finished':
      return `${runName(event.run)} ${event.run.state}${tookText(event.run)}${endText(event.run)}`;
    case 'run-cancel-asked':
      return `${runName(event.run)} is being cancelled by ${event.run.cancel?.by ?? 'a person'}`;
    case 'launch-unreadable':
      return `a message in the launch queue cannot be read and was set aside: ${event.text.slice(0, 200)}`;
    case 'secret-expiring':
      return `secret ${event.secret} ${event.days < 0 ? 'has expired on' : 'expires on'} ${iso(event.expiresOn).slice(0, 10)}: renew it for ${event.jobs.join(', ')}`;
    case 'secret-unusable':
      return `secret ${event.secret} of ${event.jobs.join(', ')} ${event.error}`;
    case 'drift-found':
      return `${event.finding.job} drifts: ${event.finding.sentence}`;
    case 'replayed': {
      const { job, state, changed, of, error } = event.replayed;
      const said =
        error ??
        (state === 'moved'
          ? `${changed} of ${of} examples get another answer`
          : `${of - changed} of ${of} examples are answered as accepted`);
      return `${job} replayed: ${said}`;
    }
    case 'drift-recovered':
      return `${event.finding.job} is back in its usual range: ${event.finding.sentence}`;
    case 'incident-reported': {
      const { kind, job, cause, severity, text, state } = event.incident;
      return `incident ${kind}: ${job ?? 'the service'} ${cause} (${state}, ${severity}): ${text}`;
    }
    case 'alert-not-sent':
      return `alert ${event.key} not taken by ${event.channel}: ${event.error}${event.permanent ? '' : '; it is tried again'}`;
    case 'clock-corrected':
      return `this machine's clock differs from the store's: corrected by ${Math.round(event.byMs / 1_000)} s here`;
    case 'audit-head':
      return `head of the audit: ${headText(event.head)}`;
    case 'trouble':
      return `trouble while ${event.doing}: ${troubleText(event.error)}`;
  }
}

/** The first line of an error, with its code where it has one; fit for logs. */
export function troubleText(error: unknown): string {
  if (!(error instanceof Error)) return withoutQueries(String(error));
  const code = (error as { code?: unknown }).code;
  const line = withoutQueries(error.message.split('\n')[0] ?? '');
  return typeof code === 'string' && !line.includes(code) ? `${line} (${code})` : line;
}

function attemptText(run: Run): string {
  return run.attempts.length > 1 ? ` (attempt ${run.attempts.length})` : '';
}

function errorText(run: Run): string {
  return currentAttempt(run)?.error ?? run.reason ?? 'no reason known';
}

function tookText(run: Run): string {
  if (run.startedAt === null || run.endedAt === null) return '';
  return ` in ${((run.endedAt - run.startedAt) / 1_000).toFixed(1)} s`;
}

function endText(run: Run): string {
  if (run.state !== 'succeeded') return `: ${errorText(run)}`;
  return run.warnings.length > 0 ? `, but ${run.warnings.join('; ')}` : '';
}
