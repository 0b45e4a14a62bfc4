import { opened } from '../../../shared/drift/finding.ts';
import { day, hour, minute } from '../../../shared/instant.ts';
import { newRun, type Run, runId } from '../../../shared/run/run.ts';
import { telemetryOf } from '../../../shared/telemetry/translate.ts';
import { catalogOf, job, started } from '../pipeline/cast.ts';
import { eventRow, type Row } from './kql-rows.ts';

/** What three jobs have sent to the workspace: a day of runs, ticks, findings, and what the host recorded of exceptions. */
export const now = Date.now();
export const catalog = catalogOf(
  { ...job('score'), tier: 'critical' },
  { ...job('pull'), owner: { email: 'lee@contoso.com', department: 'Sales' } },
  { ...job('draft'), status: 'development' },
);

/** A run of `job` that began so long ago, with an attempt of that outcome; both are reported. */
export function ran(name: string, ago: number, state: 'succeeded' | 'failed' | 'lost', more: Partial<Run> = {}): Row[] {
  const at = now - ago;
  const attempt = {
    ...(started(name).attempts[0] as Run['attempts'][number]),
    state,
    startedAt: at,
    endedAt: at + 10_000,
    exitCode: state === 'succeeded' ? 0 : 1,
    errorClass: state === 'succeeded' ? null : ('application' as const),
    error: state === 'succeeded' ? null : "KeyError: 'email'",
    cpuMs: 4_000,
    peakMemoryBytes: 512 * 1024 ** 2,
    logBytes: 2_048,
  };
  const slot = at - 2_000;
  const whole = { id: runId(slot, 'schedule'), startedAt: at, endedAt: at + 10_000, attempts: [attempt], ...more };
  const run: Run = { ...newRun(name, slot, 'schedule', slot), state, ...whole };
  return telemetryOf({ type: 'run-finished', run }, catalog).map((event) => eventRow(event, at + 10_000));
}

export function missed(name: string, ago: number, slots: number): Row[] {
  const more = { state: 'missed', reasonCode: 'outage', reason: 'the service was unavailable', slots } as const;
  const run = newRun(name, now - ago, 'schedule', now, { ...more, endedAt: now });
  return telemetryOf({ type: 'run-not-started', run }, catalog).map((event) => eventRow(event, now - ago));
}

export const tick = (ago: number, setAside = 0) =>
  telemetryOf({ type: 'ticked', host: 'h', jobs: 3, behindMs: 0, tookMs: 200, setAside }, catalog).map((event) =>
    eventRow(event, now - ago),
  );

/** A finding of a figure, reported again when another joins, and one of a column that was lost. */
export const drifted = (
  name: string,
  id: string,
  ago: number,
  signs: number,
  kind: 'shift_up' | 'lost' = 'shift_up',
) => {
  const since = now - 2 * day;
  const level = { metric: kind === 'lost' ? 'output:a.csv/mail' : 'rows', kind, share: false };
  const numbers = { ...level, before: 400, low: 380, high: 420, after: 500 };
  const sign = { ...level, since, found: since, oneIn: 900, numbers };
  const finding = { ...opened(name, sign), id, signs: Array(signs).fill(sign), sentence: 'It moved.' };
  return telemetryOf({ type: 'drift-found', finding }, catalog).map((event) => eventRow(event, now - ago));
};

/** As the Functions host records it: the same exception under its own operation. */
export const thrown = (OperationName: string, OuterMessage: string, OperationId: string, ItemCount: number): Row => ({
  TimeGenerated: new Date(now).toISOString(),
  ProblemId: 'Error at tick',
  ExceptionType: 'Error',
  OuterMessage,
  OperationName,
  OperationId,
  ItemCount,
});

export const good = { metrics: { rows: 412, mix: { high: 40, low: 372 } } };
/** By table. */
export const rows: Record<string, Row[]> = {
  AppEvents: [
    ...ran('score', 3 * hour, 'succeeded', good),
    ...ran('score', 2 * hour, 'failed'),
    ...ran('score', hour, 'succeeded', { ...good, startedAt: now - hour + 90_000 }),
    // Reported twice: by a host that died, and by the one that repaired it.
    ...ran('pull', 30 * minute, 'failed'),
    ...ran('pull', 30 * minute, 'failed').map((row) => ({ ...row, TimeGenerated: new Date(now).toISOString() })),
    ...ran('pull', 20 * minute, 'succeeded', { finishBy: now - 25 * minute }),
    ...missed('pull', 10 * minute, 60),
    ...ran('draft', 15 * minute, 'lost'),
    ...drifted('score', '1', 3 * hour, 1),
    ...drifted('score', '1', 2 * hour, 2),
    ...drifted('pull', '2', hour, 1, 'lost'),
    ...tick(3 * minute, 5),
    ...tick(2 * minute, 2),
  ],
  AppExceptions: [
    // Two invocations, each recorded twice by the host; sampling left out two more like the second.
    thrown('tick', 'boom', 'one', 1),
    thrown('tick', 'Exception while executing function: Functions.tick', 'one', 1),
    thrown('tick', 'boom', 'two', 3),
    thrown('tick', 'boom', 'two', 3),
    thrown('http', 'Request body too large. The max request body size is 104857600 bytes.', 'three', 1),
    thrown('', 'A host error has occurred', 'four', 1),
  ],
};
