import { isBreach } from '../drift/contract.ts';
import { type Event, troubleText } from '../events.ts';
import { type Instant, iso } from '../instant.ts';
import type { Catalog } from '../job/catalog.ts';
import { headText } from '../run/audit-chain.ts';
import { type Attempt, currentAttempt, type Run } from '../run/run.ts';
import type { EventName, TelemetryEvent } from './events.ts';
import { figures } from './figures.ts';
import { measurementLimit, plain } from './limits.ts';

/** What Application Insights is reported when the emit is; most of what the emit says is for people alone. */
export function telemetryOf(event: Event, catalog: Catalog): TelemetryEvent[] {
  switch (event.type) {
    case 'attempt-failed':
      return lastAttempt(event.run, catalog);
    case 'run-finished': {
      // One that waited for its next attempt when it was cancelled: the last attempt has been reported.
      const reported = event.run.nextAttemptAt !== null;
      return [...(reported ? [] : lastAttempt(event.run, catalog)), ofRun(event.run, catalog)];
    }
    case 'run-not-started':
      // Given up between two attempts: that it is finished is reported as well, once.
      return event.run.attempts.length > 0 ? [] : [ofRun(event.run, catalog)];
    case 'ticked': {
      const { host, jobs, behindMs, tookMs, setAside } = event;
      return [made('LamplighterTick', { host }, { jobs, behindMs, durationMs: tookMs, setAside })];
    }
    case 'trouble':
      return [trouble('trouble', event.doing, troubleText(event.error))];
    case 'launch-unreadable':
      // Not the text: no one knows what it holds.
      return [trouble('launch-unreadable', 'reading the launch queue', 'a message was set aside')];
    case 'clock-corrected':
      return [trouble('clock', 'comparing clocks', null, { offsetMs: event.byMs })];
    case 'alert-not-sent':
      return [trouble('trouble', `alerting by ${event.channel}`, event.error)];
    case 'secret-expiring': {
      const { secret, jobs, expiresOn, days } = event;
      const problem = days < 0 ? 'expired' : 'expiring';
      const properties = { secret, jobs: jobs.join(', '), problem, expiresOn: iso(expiresOn) };
      return [made('LamplighterSecret', properties, { days })];
    }
    case 'secret-unusable': {
      const { secret, jobs, error } = event;
      return [made('LamplighterSecret', { secret, jobs: jobs.join(', '), problem: 'unusable', error }, {})];
    }
    case 'audit-head':
      return [made('LamplighterAudit', { head: headText(event.head) }, { entry: event.head.number })];
    case 'drift-found':
    case 'drift-recovered':
      return [ofFinding(event, catalog)];
    case 'replayed':
    case 'incident-reported':
    case 'run-claimed':
    case 'run-waiting':
    case 'run-late':
    case 'run-overdue':
    case 'run-past-finish-by':
    case 'result-late':
    case 'attempt-started':
    case 'run-cancel-asked':
      return [];
  }
}

function ofFinding(
  { type, finding }: Extract<Event, { type: 'drift-found' | 'drift-recovered' }>,
  catalog: Catalog,
): TelemetryEvent {
  const { job, id, since, signs, sentence, attribution } = finding;
  const [first] = signs;
  const cause = attribution?.candidates[0]?.change?.text ?? 'nothing changed on our side';
  const state = type === 'drift-found' ? 'open' : 'recovered';
  const tier = catalog.get(job)?.job.tier ?? '';
  const properties = { job, tier, finding: id, state, metric: first?.metric ?? '', sentence, cause, since: iso(since) };
  // A mix is reported as counts, its range is one of shares: they do not go into one picture.
  const level = first && !isBreach(first.kind) && first.kind !== 'mix' ? first.numbers : undefined;
  const { before, low, high, after } = level ?? {};
  return made('LamplighterDrift', properties, {
    metrics: signs.length,
    ...(level && withoutNulls({ before: before ?? null, low: low ?? null, high: high ?? null, after: after ?? null })),
  });
}

function lastAttempt(run: Run, catalog: Catalog): TelemetryEvent[] {
  const attempt = currentAttempt(run);
  if (!attempt) return [];
  const job = catalog.get(run.job)?.job;
  // Only an attempt that left a result reported anything: otherwise the run still has what an earlier one said.
  const own = attempt.cpuMs !== null;
  const { bundle = null, commit = null, lock = null, image = null, python = null } = run.versions ?? {};
  const { startedAt, endedAt, errorClass, error, signal, executor, state } = attempt;
  const measurements = withoutNulls({
    lagMs: lag(run, state === 'abandoned' ? null : startedAt),
    durationMs: endedAt === null || state === 'abandoned' ? null : endedAt - startedAt,
    cpuMs: attempt.cpuMs,
    peakMemoryBytes: attempt.peakMemoryBytes,
    memoryLimitBytes: job?.memoryBytes ?? null,
    logBytes: attempt.logBytes,
    exitCode: attempt.exitCode,
  });
  const reported = own ? figures(run, Object.keys(measurements).length) : { measurements: {}, leftOut: 0 };
  const { leftOut } = reported;
  const note =
    leftOut > 0 ? `${leftOut} figures left out: an event holds at most ${measurementLimit}, and 64 KB` : null;
  const properties = {
    ...identity(run),
    attempt: String(attempt.number),
    state,
    errorClass,
    error,
    signal,
    executor,
    ...span(attempt),
    bundle,
    commit,
    lock,
    image,
    python: own ? python : null,
    ...about(run, catalog),
    note,
  };
  return [made('LamplighterAttempt', properties, { ...reported.measurements, ...measurements })];
}

function ofRun(run: Run, catalog: Catalog): TelemetryEvent {
  const { state, reasonCode, reason, startedAt, endedAt, finishBy } = run;
  const { errorClass = null, error = null } = currentAttempt(run) ?? {};
  const measurements = withoutNulls({
    slots: run.slots,
    attempts: run.attempts.length,
    warnings: run.warnings.length,
    lagMs: lag(run, startedAt),
    durationMs: startedAt === null || endedAt === null ? null : endedAt - startedAt,
    overdueMs: finishBy !== null && startedAt !== null && endedAt !== null ? positive(endedAt - finishBy) : null,
  });
  const properties = {
    ...identity(run),
    state,
    reasonCode,
    reason,
    errorClass,
    error,
    ...span(run),
    ...about(run, catalog),
  };
  return made('LamplighterRun', properties, measurements);
}

function identity({ job, id, slot, trigger }: Run) {
  return { job, run: id, slot: iso(slot), trigger };
}

function span({ startedAt, endedAt }: Pick<Run | Attempt, 'startedAt' | 'endedAt'>) {
  return { startedAt: startedAt === null ? null : iso(startedAt), endedAt: endedAt === null ? null : iso(endedAt) };
}

function about(run: Run, catalog: Catalog) {
  const job = catalog.get(run.job)?.job;
  if (!job) return {};
  return { tier: job.tier, status: job.status, department: job.owner.department, owner: job.owner.email };
}

/** A rerun and a backfill are not late: no one expected them at their slot. */
function lag({ slot, trigger }: Run, startedAt: Instant | null): number | null {
  return startedAt === null || trigger === 'rerun' || trigger === 'backfill' ? null : startedAt - slot;
}

function positive(ms: number): number | null {
  return ms > 0 ? ms : null;
}

function trouble(category: string, doing: string, error: string | null, measurements = {}): TelemetryEvent {
  return made('LamplighterTrouble', { category, doing, error }, measurements);
}

type Properties<Name extends EventName> = {
  [Field in keyof TelemetryEvent<Name>['properties']]: string | null;
};

/** Absent is the same as null: a workbook shows both as nothing. */
function made<Name extends EventName>(
  name: Name,
  properties: Properties<Name>,
  measurements: TelemetryEvent<Name>['measurements'],
): TelemetryEvent<Name> {
  const texts = Object.entries<string | null>(properties).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  );
  const lines = Object.fromEntries(texts.map(([field, text]) => [field, plain(text)]));
  return { name, properties: lines as TelemetryEvent<Name>['properties'], measurements };
}

function withoutNulls<Field extends string>(measurements: Record<Field, number | null>) {
  const known = Object.entries<number | null>(measurements).filter(([, value]) => value !== null);
  return Object.fromEntries(known) as Partial<Record<Field, number>>;
}
