import { amend } from '../alerts/see.ts';
import type { Change } from '../drift/change.ts';
import { type Alike, type Finding, withAlike } from '../drift/finding.ts';
import type { Instant } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import type { MetricValue } from '../run/attempt.ts';
import type { Run } from '../run/run.ts';

/** Jobs that are asked for a finding of their own, and findings of each. */
const mostJobs = 500;
const mostFindings = 3;
const mostNamed = 3;

/** A job reports its model as `{"model": {"scorer-2": 120}}`: how many answers came from which. */
export function modelOf(metrics: Readonly<Record<string, MetricValue>>, metric: string): string | undefined {
  const value = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
  return typeof value === 'object' ? Object.keys(value).sort().join(', ') : undefined;
}

/** Other jobs that drifted around the same run and have the model or a source with this one in common. */
export async function alikeOf(parts: Parts, run: Run, around: readonly Run[]): Promise<Alike[]> {
  const [first] = around;
  const model = modelOf(run.metrics, 'model');
  const job = parts.catalog().get(run.job)?.job;
  if (first === undefined || (model === undefined && (job?.inputs ?? run.inputs).length === 0)) return [];
  const found: Alike[] = [];
  const others = [...parts.catalog().values()].map((one) => one.job).filter(({ name }) => name !== run.job);
  for (const other of others.slice(0, mostJobs)) {
    const findings = await parts.store.drift.findings(other.name, mostFindings);
    const near = findings.find(({ state, since }) => state !== 'expected' && since >= first.slot && since <= run.slot);
    const what = near && (sourceOf(job, other) ?? (await sameModel(parts, model, other.name)));
    if (near && what) found.push({ job: other.name, finding: near.id, since: near.since, what });
    if (found.length === mostNamed) break;
  }
  return found;
}

/** An output that both read, or that one makes and the other reads. */
function sourceOf(job: Job | undefined, other: Job): string | undefined {
  const name = (input: Job['inputs'][number]) => `${input.job}/${input.output}`;
  const theirs = new Set(other.inputs.map(name));
  const same = job?.inputs.map(name).find((one) => theirs.has(one));
  if (same !== undefined) return `reads the same ${same.slice(0, 120)}`;
  const made = job?.inputs.find((input) => input.job === other.name);
  return made && `makes ${made.output.slice(0, 120)}, which this job reads`;
}

async function sameModel(parts: Parts, model: string | undefined, job: string): Promise<string | undefined> {
  if (model === undefined) return undefined;
  const [latest] = await parts.store.metrics.list(job, 'model', 1);
  const same = latest && modelOf({ model: latest.value }, 'model') === model;
  return same ? `uses the same model ${model.slice(0, 80)}` : undefined;
}

/** As candidates for the cause of a finding. */
export function asChanges(alike: readonly Alike[], around: readonly Run[], since: Instant): Change[] {
  return alike.map(({ job, what, since: theirs }) => {
    const at = around.findIndex(({ slot }) => slot >= Math.min(theirs, since));
    return { kind: 'shared', at, slot: theirs, text: `the job ${job}, which ${what}, is unusual since then too` };
  });
}

/** The incident group of a finding: that of the first other one that it belongs with, else one of its own. */
export async function groupOf({ store }: Parts, { job, id, alike, attribution }: Finding): Promise<string> {
  for (const other of alike ?? []) {
    const found = await store.incidents.get({ job: other.job, cause: 'drift', subject: other.finding });
    if (found?.value.group && found.value.state !== 'resolved') return found.value.group;
  }
  const cause = attribution?.candidates[0]?.change;
  return cause?.kind === 'model' ? `drift: ${cause.text}` : `drift: ${job}.${id}`;
}

/** The other findings name this job as well, in their sentence and in their incident. */
export async function nameInOthers({ store }: Parts, { job, id, since, alike }: Finding): Promise<void> {
  for (const { job: other, finding, what } of alike ?? []) {
    const theirs = (await store.drift.findings(other, mostFindings)).find((one) => one.id === finding);
    if (!theirs || theirs.alike?.some((one) => one.job === job)) continue;
    const back = what.startsWith('makes ')
      ? `reads ${what.slice('makes '.length, what.lastIndexOf(', '))} of it`
      : what;
    const next = withAlike(theirs, { job, finding: id, since, what: back });
    await store.drift.putFinding(next);
    await amend(store, { job: other, cause: 'drift', subject: finding }, (incident) => ({
      ...incident,
      text: next.sentence,
    }));
  }
}
