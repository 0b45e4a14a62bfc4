import type { Instant } from '../instant.ts';
import type { MetricValue, OutputProfile } from '../run/attempt.ts';
import { acceptColumns, type Breach, newColumns, seeColumns } from './columns.ts';
import type { BreachKind } from './contract.ts';
import { newEnumeration, strangers, withRun, withValues } from './enumeration.ts';
import { named } from './readable.ts';
import type { MetricState, Sign } from './state.ts';

/** What one run shows of the contract of a metric, at once and without statistics. */
export interface Checked {
  state: MetricState;
  /** Breaches that begin with this run. */
  signs: Sign[];
  /** Names of those that are over. */
  over: string[];
}

/** A breach of a limit or an enumeration that stands, so that it is reported once. */
export interface Broken {
  kind: 'limit' | 'value';
  since: Instant;
  /** Values outside the enumeration. */
  values?: string[];
  /** The owner calls it a problem: the values do not become known when they are gone. */
  real?: true;
}

/** @param detail how the value breaks what job.yaml says of it; undefined: it does not */
export function checkLimit(state: MetricState, slot: Instant, detail: string | undefined): Checked {
  if (slot <= state.last) return { state, signs: [], over: [] };
  const standing = state.broken?.kind === 'limit' ? state.broken : undefined;
  if (detail === undefined) {
    return { state: standing ? { ...state, broken: null } : state, signs: [], over: standing ? [state.metric] : [] };
  }
  if (standing) return { state, signs: [], over: [] };
  const sign = signOf(
    state.metric,
    slot,
    'limit',
    detail,
    `${named({ metric: state.metric, kind: 'limit' })} ${detail}`,
  );
  return { state: { ...state, broken: { kind: 'limit', since: slot } }, signs: [sign], over: [] };
}

/** Which model answered: a change of it is a cause, named as that, and no finding. */
export const isModel = (metric: string): boolean => metric === 'model' || metric === 'model_fingerprint';

/** Whether a metric of counts by category has a value that it never had. */
export function checkValues(state: MetricState, slot: Instant, value: MetricValue | undefined): Checked {
  const { metric, broken } = state;
  const same = { state, signs: [], over: [] };
  if (slot <= state.last || state.kind !== 'mix' || typeof value !== 'object' || isModel(metric)) return same;
  const known = state.values ?? newEnumeration();
  const strange = strangers(known, value);
  const standing = broken?.kind === 'value' ? broken : undefined;
  if (standing) {
    const left = (standing.values ?? []).filter((name) => (value[name] ?? 0) > 0);
    if (left.length > 0) {
      return { ...same, state: { ...state, values: withRun(known, value, new Set(standing.values)) } };
    }
    const learnt = withRun(known, value);
    const values = standing.real ? learnt : withValues(learnt, standing.values ?? []);
    return { state: { ...state, values, broken: null }, signs: [], over: [metric] };
  }
  if (!strange || strange.length === 0) return { ...same, state: { ...state, values: withRun(known, value) } };
  const place = named({ metric, kind: 'value' }).replace(/^the categories of /, '');
  const usual = known.seen.map(([name]) => name).sort();
  const detail = `${listed(strange)} came up in ${place}; the ${known.runs} runs before had only ${listed(usual, 6)}`;
  const sign = signOf(metric, slot, 'value', detail, `${listed(strange)} in ${place}`);
  const values = withRun(known, value, new Set(strange));
  return {
    state: { ...state, values, broken: { kind: 'value', since: slot, values: strange } },
    signs: [sign],
    over: [],
  };
}

/** Whether an output has the columns, with the types, that it always had. The state is that of its number of columns. */
export function checkColumns(state: MetricState, slot: Instant, output: string, profile: OutputProfile): Checked {
  if (slot <= state.last) return { state, signs: [], over: [] };
  const { columns, found, over } = seeColumns(state.columns ?? newColumns(), slot, profile);
  return {
    state: { ...state, columns },
    signs: found.map((breach) => ofColumn(output, slot, breach)),
    over: over.map(({ column }) => columnMetric(output, column)),
  };
}

/** The state after an owner's word on these breaches. */
export function afterWord(
  state: MetricState,
  names: ReadonlySet<string>,
  word: 'expected' | 'once' | 'real',
): MetricState {
  let next = state;
  if (state.broken?.kind === 'value' && names.has(state.metric)) {
    const { values = [] } = state.broken;
    if (word === 'real') next = { ...next, broken: { ...state.broken, real: true } };
    if (word === 'expected')
      next = { ...next, broken: null, values: withValues(state.values ?? newEnumeration(), values) };
  }
  if (word === 'expected' && state.columns) {
    const output = state.metric.slice(0, state.metric.lastIndexOf('/'));
    const mine = [...names]
      .filter((name) => name.startsWith(`${output}/`))
      .map((name) => name.slice(output.length + 1));
    next = { ...next, columns: acceptColumns(state.columns, new Set(mine)) };
  }
  return next;
}

/** The metric under which a breach of a column is reported; it has no values. */
export function columnMetric(output: string, column: string): string {
  return `output:${output}/${column}`;
}

/** Whether a metric is of a column that is known to be gone, so that its absence is no news. */
export function isOfLostColumn(metric: string, states: Iterable<MetricState>): boolean {
  for (const { metric: columns, columns: known } of states) {
    if (!known) continue;
    const output = columns.slice(0, columns.lastIndexOf('/'));
    if (metric === columns && known.standing.some(({ kind }) => kind === 'lost' || kind === 'new')) return true;
    const gone = known.standing.filter(({ kind }) => kind === 'lost' || kind === 'renamed' || kind === 'retyped');
    if (gone.some(({ column }) => metric.startsWith(`${output}/${column}.`))) return true;
  }
  return false;
}

const typeWords: Record<string, string> = {
  number: 'numbers',
  text: 'text',
  boolean: 'true and false',
  mixed: 'numbers and text',
};

function ofColumn(output: string, slot: Instant, { kind, column, from = '', to = '', before }: Breach): Sign {
  const all = `${before} runs before`;
  const [detail, brief] = {
    lost: [`the column ${column} is missing from ${output}; all ${all} had it`, `the column ${column} missing`],
    new: [`${output} has a new column, ${column}; none of ${all} had it`, `a new column ${column}`],
    renamed: [
      `the column ${column} is missing from ${output}, and a new column ${to} stands in its place with values of the same type, so it was probably renamed; all ${all} had ${column}`,
      `the column ${column} now called ${to}`,
    ],
    retyped: [
      `the column ${column} of ${output} holds ${typeWords[to] ?? to}; in ${all} it held ${typeWords[from] ?? from} only`,
      `the column ${column} now ${typeWords[to] ?? to}`,
    ],
  }[kind] as [string, string];
  return signOf(columnMetric(output, column), slot, kind, detail, brief);
}

function signOf(metric: string, slot: Instant, kind: BreachKind, detail: string, brief: string): Sign {
  const nothing = { share: false, before: 0, low: 0, high: 0, after: 0 };
  return {
    metric,
    kind,
    since: slot,
    found: slot,
    oneIn: undefined,
    numbers: { metric, kind, ...nothing, detail, brief },
  };
}

function listed(values: readonly string[], most = 3): string {
  const shown = values.slice(0, most).map((value) => `"${value}"`);
  return values.length > most ? `${shown.join(', ')} and ${values.length - most} more` : shown.join(', ');
}
