import { attribute, latestCause } from '../drift/attribution.ts';
import { type Change, changesBetween, type RunFacts } from '../drift/change.ts';
import { evidenceOf } from '../drift/evidence.ts';
import type { Finding } from '../drift/finding.ts';
import { movedAt } from '../drift/moved.ts';
import { type Numbers, numbersOf } from '../drift/numbers.ts';
import { briefOf, named, unitOf, valueText } from '../drift/readable.ts';
import { sentenceOf } from '../drift/sentence.ts';
import { type MetricState, readings } from '../drift/state.ts';
import type { Instant } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import { isInput } from '../run/metrics.ts';
import type { Run } from '../run/run.ts';
import { alikeOf, asChanges, modelOf } from './alike.ts';
import { type BundleFacts, bundleFacts } from './bundle-facts.ts';
import { timeZoneOf } from './drift-setting.ts';
import { isReplayed } from './replay/request.ts';

/** Runs that are read back from the newest: the longest window of the detector, and those before the change. */
const most = 60;
const mostReplays = 100;
/** Runs before the change among which its cause is looked for. */
const window = 6;

/** A finding with its cause and its sentence, from the rows of the runs around it. Read only when something was found. */
export async function explain(parts: Parts, run: Run, job: Job | undefined, finding: Finding): Promise<Finding> {
  const timeZone = timeZoneOf(job);
  const around = await runsAround(parts, run, finding.since);
  const change = around.findIndex(({ slot }) => slot >= finding.since);
  const acts = await actsBetween(parts, run.job, around[0]?.slot ?? finding.since, run.slot);
  const bundles = await bundleFacts(
    parts,
    // Later ones are no candidates.
    around.slice(0, change + latestCause + 1).flatMap(({ versions }) => versions?.bundle ?? []),
  );
  const facts = around.map((one, i) => factsOf(one, around[i - 1], acts, bundles));
  const changes: Change[] = facts.flatMap((after, i) => {
    const before = facts[i - 1];
    const slot = around[i]?.slot ?? finding.since;
    return before ? changesBetween(before, after, i).map((one) => ({ ...one, slot })) : [];
  });
  const inputs = await incoming(parts, run, finding, timeZone);
  if (inputs.moved.length > 0) {
    changes.push({
      kind: 'input-profile',
      at: change,
      text: `the data that came in changed (${inputs.moved.slice(0, 3).map(movedText).join(', ')})`,
    });
  }
  const newModel = changes.some(({ kind, at }) => kind === 'model' && at <= change + latestCause);
  // A new model says by itself why others that use it drift.
  const alike = await alikeOf(parts, run, around);
  if (!newModel) changes.push(...asChanges(alike, around, finding.since));
  const state = inputs.known ? (inputs.moved.length > 0 ? 'moved' : 'still') : undefined;
  const replay = await replayed(parts, finding, around[Math.max(change - 5, 0)]?.slot ?? finding.since);
  const attribution = attribute({ change, changes, replay: replay?.state ?? 'unknown', inputs: state });
  const [first, ...others] = finding.signs;
  if (!first) return finding;
  // Said as the cause, and not once more as a result.
  const blamed = attribution.candidates[0]?.change?.kind === 'input-profile';
  const sentence = sentenceOf({
    numbers: first.numbers,
    others: others
      .filter(({ metric }) => metric !== first.metric && !(blamed && inputs.moved.some((one) => one.metric === metric)))
      .map(({ numbers }) => briefOf(numbers)),
    since: finding.since,
    timeZone,
    oneIn: first.oneIn,
    runs: Math.max(1, around.filter(({ slot }) => slot >= finding.since).length),
    change,
    attribution,
    alike,
    ...(replay && { replay }),
  });
  return { ...finding, attribution, sentence, ...(alike.length > 0 && { alike }), ...(replay && { replay }) };
}

/** What replays by the service say. Costs nothing of a job without frozen examples. @param from the change may begin there */
async function replayed({ store, catalog }: Parts, { job, since }: Finding, from: Instant) {
  const deployed = catalog().get(job);
  if (!deployed || !isReplayed(deployed)) return null;
  const noise = (await store.replays.state(job))?.value.noise?.share ?? 0;
  return evidenceOf(await store.replays.list(job, mostReplays), { from, since }, noise);
}

/** Successful runs from six before the change on, oldest first. */
async function runsAround({ store }: Parts, run: Run, since: Instant): Promise<Run[]> {
  const found: Run[] = [];
  let before = 0;
  let read = 0;
  for await (const { value } of store.runs.list(run.job, { to: run.slot, page: most })) {
    if (value.state === 'succeeded') {
      found.push(value);
      if (value.slot < since) before++;
    }
    if (before >= window || ++read >= 4 * most) break;
  }
  return found.reverse();
}

interface Act {
  at: Instant;
  text: string;
}

interface Acts {
  actions: Act[];
  /** Newest first. */
  schedules: { at: Instant; from: string; to: string }[];
}

/** What people did that may matter; deployments show in the versions of the runs. */
async function actsBetween({ store }: Parts, job: string, from: Instant, to: Instant): Promise<Acts> {
  const found: Acts = { actions: [], schedules: [] };
  let read = 0;
  for await (const { at, kind, by, details } of store.events.list(job)) {
    if (at < from || ++read > 200) break;
    if (at > to) continue;
    if (kind === 'schedule-changed') {
      found.schedules.push({ at, from: String(details?.from ?? ''), to: String(details?.to ?? '') });
    }
    if (kind === 'resumed') found.actions.push({ at, text: `${by} resumed the job` });
  }
  return found;
}

function factsOf(
  run: Run,
  before: Run | undefined,
  { actions, schedules }: Acts,
  bundles: ReadonlyMap<string, BundleFacts>,
): RunFacts {
  const newest = schedules.find(({ at }) => at <= run.slot);
  return {
    ...bundles.get(run.versions?.bundle ?? ''),
    versions: run.versions,
    model: modelOf(run.metrics, 'model'),
    fingerprint: modelOf(run.metrics, 'model_fingerprint'),
    schedule: newest?.to ?? schedules.at(-1)?.from,
    args: run.args,
    actions: before ? actions.filter(({ at }) => at > before.slot && at <= run.slot).map(({ text }) => text) : [],
  };
}

/** Whether what came in moved at the change: metrics of the job that say so by name, and outputs of the jobs it reads. */
async function incoming(parts: Parts, run: Run, { since, signs }: Finding, timeZone: string) {
  const drifted = new Set(signs.map(({ metric }) => metric));
  const own = (await parts.store.drift.states(run.job)).filter(({ metric }) => isInput(metric));
  const theirs: MetricState[] = [];
  for (const { job, output } of run.inputs) {
    const states = await parts.store.drift.states(job);
    theirs.push(...states.filter(({ metric }) => metric.startsWith(`output:${output}/`)));
  }
  const known = [...own, ...theirs].filter(({ kind, points }) => kind !== 'mix' && points.length >= 10);
  const moved = known.filter(({ metric, kind, points }) => {
    if (drifted.has(metric)) return true;
    const list = readings(points, { timeZone });
    const at = list[points.findIndex(({ slot }) => slot >= since)]?.step;
    return at !== undefined && movedAt(list, at, { kind: kind === 'mix' ? 'gauge' : kind, period: 7 });
  });
  const numbers = moved.map(({ metric, kind, points }) => {
    const [before, after] = [points.filter(({ slot }) => slot < since), points.filter(({ slot }) => slot >= since)];
    return numbersOf({ metric, kind: 'shift_up', unit: unitOf(metric) }, kind, before, after);
  });
  return { known: known.length > 0, moved: numbers };
}

/** `the figure "rows in" went from 404 to 12`. */
function movedText(numbers: Numbers): string {
  return `${named(numbers)} went from ${valueText(numbers.before, numbers)} to ${valueText(numbers.after, numbers)}`;
}
