import { amend } from '../alerts/see.ts';
import { afterAnswer, answered, pinnedAt, snoozed } from '../drift/feedback.ts';
import type { Answer, Finding } from '../drift/finding.ts';
import type { MetricState } from '../drift/state.ts';
import { type Instant, iso } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { closeIncident } from '../pipeline/drift.ts';
import { expectAnswers } from '../pipeline/replay/expect.ts';
import type { Person } from '../run/run.ts';

/**
 * What people say of drift: once, for CLI, API and console alike. Each leaves who and why in the audit;
 * `id` is that of the entry: the same request again is the same entry.
 */

/** @returns the finding as it is now */
export async function answer(
  parts: Pick<Parts, 'store'>,
  finding: Finding,
  what: Answer,
  asked: Person,
  now: Instant,
  id?: string,
): Promise<Finding> {
  const { store } = parts;
  const word = { ...asked, at: now };
  const metrics = new Set(finding.signs.map(({ metric }) => metric));
  // The audit first: a pin that moved without a word of who moved it cannot be explained later.
  const details = { finding: finding.id, answer: what, metrics: [...metrics].join(', ') };
  await store.events.append(answerEvent(finding, details, asked, now, id));
  await store.drift.amend(finding.job, (state) =>
    metrics.has(state.metric) || state.columns ? afterAnswer(state, what, word, metrics) : state,
  );
  const next = answered(finding, what, word);
  await store.drift.putFinding(next);
  if (what === 'expected') await expectAnswers(parts, next);
  if (what !== 'real') await closeIncident(parts, finding.job, next, now);
  return next;
}

function answerEvent({ job }: Finding, details: Record<string, string>, asked: Person, at: Instant, id?: string) {
  return { job, at, kind: 'drift-answered' as const, ...asked, details, ...(id !== undefined && { id }) };
}

/** The finding stays as it is, and is not reminded of until then. */
export async function snooze(
  { store }: Pick<Parts, 'store'>,
  finding: Finding,
  until: Instant,
  asked: Person,
  now: Instant,
  id?: string,
): Promise<Finding> {
  const next = snoozed(finding, until, { ...asked, at: now });
  const details = { finding: finding.id, answer: 'snooze', until: iso(until) };
  await store.events.append(answerEvent(finding, details, asked, now, id));
  const about = { job: finding.job, cause: 'drift', subject: finding.id } as const;
  await amend(store, about, (incident) => ({ ...incident, reportAt: Math.max(incident.reportAt ?? 0, until) }));
  await store.drift.putFinding(next);
  return next;
}

/** From this slot on the values are the norm. @param metric left out: every metric of the job. @returns those pinned */
export async function pinBaseline(
  { store }: Pick<Parts, 'store'>,
  job: string,
  since: Instant,
  metric: string | undefined,
  asked: Person,
  now: Instant,
  id?: string,
): Promise<string[]> {
  const isMeant = (state: MetricState) => metric === undefined || state.metric === metric;
  const details = { since: iso(since), metric: metric ?? 'all' };
  await store.events.append({
    job,
    at: now,
    kind: 'baseline-pinned',
    ...asked,
    details,
    ...(id !== undefined && { id }),
  });
  const states = await store.drift.amend(job, (state) =>
    isMeant(state) ? pinnedAt(state, since, { ...asked, at: now }) : state,
  );
  return states.filter(isMeant).map((state) => state.metric);
}

/** The metric learns anew from its next run on. @param metric left out: every metric of the job */
export async function resetBaseline(
  { store }: Pick<Parts, 'store'>,
  job: string,
  metric: string | undefined,
  asked: Person,
  now: Instant,
  id?: string,
): Promise<void> {
  await store.events.append({
    job,
    at: now,
    kind: 'baseline-reset',
    ...asked,
    details: { metric: metric ?? 'all' },
    ...(id !== undefined && { id }),
  });
  await store.drift.forget(job, metric === undefined ? undefined : [metric]);
}
