import { splitAdvice } from '../advice.ts';
import type { Sighting } from '../alerts/incident.ts';
import { resolved, withNews } from '../alerts/incident.ts';
import { amend, record } from '../alerts/see.ts';
import { type Finding, isLimitOnly, joined, joins, opened, withRecovered } from '../drift/finding.ts';
import type { MetricState } from '../drift/state.ts';
import type { Instant } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import type { Run } from '../run/run.ts';
import type { Drift } from '../store/drift.ts';
import type { Change, Versioned } from '../store/table.ts';
import { Turns } from '../turns.ts';
import { groupOf, nameInOthers } from './alike.ts';
import { forgetNames, surplus } from './drift-names.ts';
import { type Left, leftOf, type Over, signsOf } from './drift-signs.ts';
import { explain } from './explain.ts';
import { replaySoon } from './replay/soon.ts';
import type { Results } from './results.ts';

/** Findings that are looked at for one that a sign belongs to. */
const recent = 10;
/** This often other hosts may write the same baselines in between; the watch tries again later. */
const mostTries = 5;

/** On one host the runs of one job are compared one after the other: the loser of two would do it again. */
const turns = new WeakMap<Drift, Turns>();

/**
 * Compares what successful runs have left with the past of their job. Never stops nor changes a run. What two hosts see
 * of one job at once is kept of both: the one that writes later reads, and sees again.
 */
export async function seeDrift(parts: Parts, runs: readonly Run[], now: Instant, results: Results): Promise<void> {
  const succeeded = runs.filter(({ state }) => state === 'succeeded');
  const [first] = succeeded;
  if (!first) return;
  const left: [Run, Left][] = [];
  for (const run of succeeded) left.push([run, leftOf(run, await results(run))]);
  const { drift } = parts.store;
  const ofHost = turns.get(drift) ?? new Turns();
  turns.set(drift, ofHost);
  await ofHost.take(first.job, () => seeResults(parts, first.job, left, now));
}

async function seeResults(parts: Parts, job: string, left: readonly [Run, Left][], now: Instant): Promise<void> {
  const { drift } = parts.store;
  const guess = drift.guess(job);
  // A guess may do for a run that shows nothing.
  if (guess && (await seeRuns(parts, left, guess, now, true))) return;
  for (let tries = 1; tries <= mostTries; tries++) {
    if (await seeRuns(parts, left, await drift.read(job), now, false)) return;
  }
  throw new Error(`other hosts have changed the baselines of ${job} ${mostTries} times meanwhile`);
}

/**
 * @param all of one job, with what they have left
 * @param rows the baselines of the job
 * @param guessed they may be out of date: nothing is reported by them
 * @returns false: they were out of date, or are too much of a guess
 */
async function seeRuns(
  parts: Parts,
  all: readonly [Run, Left][],
  rows: readonly Versioned<MetricState>[],
  now: Instant,
  guessed: boolean,
): Promise<boolean> {
  const name = all[0]?.[0].job ?? '';
  const job = parts.catalog().get(name)?.job;
  const known = new Map(rows.map((row) => [row.value.metric, row]));
  const states = new Map(rows.map(({ value }) => [value.metric, value]));
  for (const [run, left] of all) {
    const seen = signsOf(run, job, states, left);
    const old = surplus(states, job);
    if (guessed && seen.signs.length + seen.over.length + old.length > 0) return false;
    await act(parts, run, job, states, seen, now);
    for (const metric of old) states.delete(metric);
    if (old.length > 0) await forgetNames(parts, run, old);
  }
  const same: Versioned<MetricState>[] = [];
  const changes: Change<MetricState>[] = [];
  for (const value of states.values()) {
    const row = known.get(value.metric);
    if (row?.value === value) same.push(row);
    else changes.push({ value, etag: row?.etag });
  }
  // Last: a follow-up that is cut short before finds the same again.
  return changes.length === 0 || parts.store.drift.write(name, changes, same);
}

/** Makes findings of what was seen, and ends those that are over. */
async function act(
  parts: Parts,
  run: Run,
  job: Job | undefined,
  states: ReadonlyMap<string, MetricState>,
  { signs, over }: ReturnType<typeof signsOf>,
  now: Instant,
): Promise<void> {
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

/** The incident of a finding is over: the metrics are back, or a person has answered. It says which. */
export async function closeIncident({ store }: Pick<Parts, 'store'>, job: string, finding: Finding, now: Instant) {
  const { answered } = finding;
  const end =
    finding.state === 'recovered' || !answered
      ? 'The job is as usual again.'
      : `${answered.by} calls it ${finding.state === 'expected-once' ? 'a one-off' : 'expected'}: ${answered.why}.`;
  const was = splitAdvice(finding.sentence).what.replace(' so far)', ')');
  await amend(store, { job, cause: 'drift', subject: finding.id }, (incident) => {
    const over = resolved(incident, now);
    return over && { ...over, text: `${end} It was: ${was}` };
  });
}

/** How many runs lie between two slots, by the metric that has seen most of them. */
function between(states: ReadonlyMap<string, MetricState>, from: Instant, to: Instant): number {
  const counts = [...states.values()].map(
    ({ points }) => points.filter(({ slot }) => slot > from && slot <= to).length,
  );
  return counts.reduce((most, count) => Math.max(most, count), 0);
}
