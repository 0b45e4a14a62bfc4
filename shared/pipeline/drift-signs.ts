import { type Checked, checkColumns, checkLimit, checkValues, isModel, isOfLostColumn } from '../drift/check.ts';
import { isBreach } from '../drift/contract.ts';
import { type MetricState, newState, type Sign, see } from '../drift/state.ts';
import type { Job } from '../job/job.ts';
import type { AttemptResult, MetricValue, OutputProfile } from '../run/attempt.ts';
import { kept, measured } from '../run/metrics.ts';
import type { Run } from '../run/run.ts';
import { metricProblems } from '../run/warnings.ts';
import { settingOf } from './drift-setting.ts';

/** What a run has left. */
export interface Left {
  values: ReadonlyMap<string, MetricValue>;
  /** By the name of the metric that counts its columns. */
  profiles: ReadonlyMap<string, { path: string; profile: OutputProfile }>;
}

/** What is over: a change or a breach of this metric. */
export type Over = Pick<Sign, 'metric' | 'kind'>;

export function leftOf(run: Run, result: AttemptResult | undefined): Left {
  const profiles = (result?.outputs ?? []).flatMap(({ path, profile }) =>
    profile ? [[`output:${path}/columns`, { path, profile }] as const] : [],
  );
  return { values: kept(measured(run, result)), profiles: new Map(profiles) };
}

/**
 * What a run shows of all metrics of its job: breaches of their contract at once, changes by comparison with their past.
 * @param states are brought up to date
 */
export function signsOf(
  run: Run,
  job: Job | undefined,
  states: Map<string, MetricState>,
  { values, profiles }: Left,
): { signs: Sign[]; over: Over[] } {
  const signs: Sign[] = [];
  const over: Over[] = [];
  const problems = new Map(metricProblems(run, job).map(({ name, detail }) => [name, detail]));
  const names = new Set([...states.keys(), ...values.keys(), ...problems.keys()]);
  for (const metric of names) {
    const value = values.get(metric);
    const off = Object.hasOwn(job?.metrics ?? {}, metric) && job?.metrics[metric]?.drift === 'off';
    let state = states.get(metric) ?? newState(run.job, metric, value ?? 0);
    if (isModel(metric) && !problems.has(metric) && !state.broken) continue;
    if (off && !problems.has(metric) && !state.broken) continue;
    const take = (checked: Checked) => {
      state = checked.state;
      signs.push(...checked.signs);
      over.push(...checked.over.map((name): Over => ({ metric: name, kind: 'limit' })));
    };
    take(checkLimit(state, run.slot, problems.get(metric)));
    if (off) {
      states.set(metric, { ...state, last: Math.max(state.last, run.slot) });
      continue;
    }
    take(checkValues(state, run.slot, value));
    const output = profiles.get(metric);
    if (output) take(checkColumns(state, run.slot, output.path, output.profile));
    const step = see(state, run.slot, value, settingOf(job, metric, names.size, run.slot));
    states.set(metric, step.state);
    if (step.recovered) over.push({ metric, kind: 'missing' });
    // That a declared metric is absent is a breach of its limits, at its first absence.
    if (step.sign && !(step.sign.kind === 'missing' && problems.has(metric))) signs.push(step.sign);
  }
  const known = [...states.values()];
  return { signs: signs.filter(({ metric, kind }) => isBreach(kind) || !isOfLostColumn(metric, known)), over };
}
