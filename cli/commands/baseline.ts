import { pinBaseline, resetBaseline } from '../../shared/actions/drift.ts';
import { learning } from '../../shared/drift/budget.ts';
import type { MetricState } from '../../shared/drift/state.ts';
import { iso } from '../../shared/instant.ts';
import type { Home } from '../home.ts';
import { knownJob, openParts } from '../host/session.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { printTable } from '../table.ts';
import { readFrom } from '../time.ts';
import { type ActOptions, person } from './act.ts';

export interface BaselineOptions extends ActOptions {
  metric?: string;
  since?: string;
}

/** `lamp baseline show`: what each metric is compared with, and where it stands. */
export async function show(home: Home, name: string, options: { json?: boolean }): Promise<void> {
  const session = await openParts(home);
  const states = await session.store.drift.states(await knownJob(session, name));
  const rows = states.map((state) => ({
    metric: state.metric,
    kind: state.kind,
    state: standing(state),
    since: state.points[0] ? iso(state.points[0].slot) : null,
    runs: state.runs,
    pinnedBy: state.pinned?.by ?? null,
    why: state.pinned?.why ?? null,
  }));
  if (options.json) return printJson(rows);
  if (rows.length === 0) return console.log('No metric yet: the first successful run brings them.');
  printTable(
    ['METRIC', 'KIND', 'STATE', 'SINCE', 'RUNS', 'PINNED BY'],
    rows.map((row) => [row.metric, row.kind, row.state, row.since ?? '', String(row.runs), row.pinnedBy ?? '']),
  );
}

/** `lamp baseline pin`: from a slot on the values are the norm. */
export async function pin(home: Home, name: string, options: BaselineOptions): Promise<void> {
  if (options.since === undefined) throw new Refusal('Since when? Name the first good day: --since 2026-11-20');
  const since = readFrom('--since', options.since);
  const session = await openParts(home);
  const job = await knownJob(session, name);
  const pinned = await pinBaseline(session, job, since, options.metric, person(home, options), Date.now());
  if (pinned.length === 0) throw new Refusal(`${job} has no such metric. List them: lamp baseline show ${job}`);
  console.log(`${pinned.length === 1 ? pinned[0] : `${pinned.length} metrics`} of ${job} pinned at ${iso(since)}.`);
}

/** `lamp baseline reset`: learns anew. */
export async function reset(home: Home, name: string, options: BaselineOptions): Promise<void> {
  const session = await openParts(home);
  const job = await knownJob(session, name);
  await resetBaseline(session, job, options.metric, person(home, options), Date.now());
  console.log(
    `${options.metric ?? 'Every metric'} of ${job} learns anew; ${learning} runs from now it is watched again.`,
  );
}

function standing({ drifted, runs }: MetricState): string {
  if (drifted) return `drifted since ${iso(drifted.since).slice(0, 10)}`;
  return runs < learning ? `learning (${runs} of ${learning})` : 'watching';
}
