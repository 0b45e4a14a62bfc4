import type { Sighting } from '../alerts/incident.ts';
import { resolved, withNews } from '../alerts/incident.ts';
import { amend, record } from '../alerts/see.ts';
import { type Finding, isLimitOnly, joined, joins, opened, withRecovered } from '../drift/finding.ts';
import type { MetricState } from '../drift/state.ts';
import type { Instant } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import { mostMetrics } from '../run/metrics.ts';
import type { Run } from '../run/run.ts';
import { groupOf, nameInOthers } from './alike.ts';
import { type Left, leftOf, type Over, signsOf } from './drift-signs.ts';
import { explain } from './explain.ts';
import { replaySoon } from './replay/soon.ts';
import type { Results } from './results.ts';

/** Findings that are looked at for one that a sign belongs to. */
const recent = 10;
/** Metrics of one job that have a baseline: those of its latest run, and as many that it has no more. */
const mostFollowed = 2 * mostMetrics;

/** Compares what successful runs have left with the past of their job. Never stops nor changes a run. */
export async function seeDrift(parts: Parts, runs: readonly Run[], now: Instant, results: Results): Promise<void> {
  const succeeded = runs.filter(({ state }) => state === 'succeeded');
  const [first] = succeeded;
  if (!first) return;
  const job = parts.catalog().get(first.job)?.job;
  const states = new Map((await parts.store.drift.states(first.job)).map((state) => [state.metric, state]));
  for (const run of succeeded) {
    await seeRun(parts, run, job, states, leftOf(run, await results(run)), now);
    const old = surplus(states, job);
    for (const name of old) states.delete(name);
    if (old.length > 0) await parts.store.drift.forget(first.job, old);
  }
  // Last: a follow-up that is cut short before finds the same again.
  await parts.store.drift.putStates([...states.values()]);
}

/**
 * Names beyond {@link mostFollowed}, the longest absent first. A job that gives its metrics new names with each run would
 * else have all that it ever had read and written again by each follow-up. What the manifest declares stays.
 */
function surplus(states: ReadonlyMap<string, MetricState>, job: Job | undefined): string[] {
  if (states.size <= mostFollowed) return [];
  return [...states.values()]
    .filter(({ metric, absentNow }) => absentNow > 0 && !Object.hasOwn(job?.metrics ?? {}, metric))
    .sort((a, b) => b.absentNow - a.absentNow)
    .slice(0, states.size - mostFollowed)
    .map(({ metric }) => metric);
}

async function seeRun(
  parts: Parts,
  run: Run,
  job: Job | undefined,
  states: Map<string, MetricState>,
  left: Left,
  now: Instant,
): Promise<void> {
  const { signs, over } = signsOf(run, job, states, left);
  if (signs.length === 0 && over.length === 0) return;
  let findings = await parts.store.drift.findings(run.job, recent);
  if (over.length > 0) findings = await recover(parts, run, findings, over, now);
  const changed = new Map<string, Finding>();
  for (const sign of signs) {
    const known = [...changed.values(), ...findings];
    const found = known.find((finding) => joins(finding, sign, between(states, finding.found, sign.found)));
    const finding = found ? joined(changed.get(found.id) ?? found, sign) : opened(run.job, sign);
    changed.set(finding.id, finding);
  }
  for (const finding of changed.values()) await report(parts, run, job, await explain(parts, run, job, finding), now);
  if (changed.size > 0) await replaySoon(parts, run.job, 'finding', now);
}

/** Keeps a finding and what alerts say of it. `news`: its incident is known, and its message is brought up to date. */
export async function report(
  parts: Parts,
  run: Run,
  job: Job | undefined,
  finding: Finding,
  now: Instant,
  news?: 'verdict',
): Promise<void> {
  await parts.store.drift.putFinding(finding);
  parts.emit({ type: 'drift-found', finding });
  // Limits have an incident of their own.
  if ((job && job.status !== 'production') || isLimitOnly(finding)) return;
  const sighting: Sighting = {
    job: run.job,
    cause: 'drift',
    subject: finding.id,
    tier: job?.tier ?? 'standard',
    text: finding.sentence,
    run: run.id,
    slot: run.slot,
    since: finding.since,
    // Jobs that drift together are one message.
    group: await groupOf(parts, finding),
  };
  if (!news) {
    await record(parts.store, sighting, now);
    await nameInOthers(parts, finding);
    return;
  }
  const about = { job: run.job, cause: 'drift', subject: finding.id } as const;
  await amend(parts.store, about, (incident) => withNews(incident, finding.sentence, sighting.group ?? null, now));
}

async function recover(
  parts: Parts,
  run: Run,
  findings: readonly Finding[],
  over: readonly Over[],
  now: Instant,
): Promise<Finding[]> {
  const left: Finding[] = [];
  for (const finding of findings) {
    const open = finding.state === 'open' || finding.state === 'real';
    const next = open ? withRecovered(finding, over) : finding;
    left.push(next);
    if (next.state === finding.state && next.signs.length === finding.signs.length) continue;
    await parts.store.drift.putFinding(next);
    if (next.state !== 'recovered') continue;
    parts.emit({ type: 'drift-recovered', finding: next });
    await closeIncident(parts, run.job, next, now);
  }
  return left;
}

/** The incident of a finding is over: the metrics are back, or a person has answered. */
export async function closeIncident({ store }: Pick<Parts, 'store'>, job: string, { id }: Finding, now: Instant) {
  await amend(store, { job, cause: 'drift', subject: id }, (incident) => resolved(incident, now));
}

/** How many runs lie between two slots, by the metric that has seen most of them. */
function between(states: ReadonlyMap<string, MetricState>, from: Instant, to: Instant): number {
  const counts = [...states.values()].map(
    ({ points }) => points.filter(({ slot }) => slot > from && slot <= to).length,
  );
  return counts.reduce((most, count) => Math.max(most, count), 0);
}
