import { cancel as cancelRun } from '../../shared/actions/cancel.ts';
import { cancelBackfill } from '../../shared/actions/cancel-backfill.ts';
import { isFinal, type Run, runName } from '../../shared/run/run.ts';
import type { Home } from '../home.ts';
import { findRun, knownJob, openParts, type Session } from '../host/session.ts';
import { printJson, runJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { count } from '../words.ts';
import { type ActOptions, person } from './act.ts';

export interface CancelOptions extends ActOptions {
  backfill?: string;
}

/** `lamp cancel`: ends runs, or keeps them from starting. All names are looked up before the first run is cancelled. */
export async function cancel(home: Home, names: string[], options: CancelOptions): Promise<void> {
  const session = await openParts(home);
  if (options.backfill !== undefined) {
    if (names.length > 0) throw new Refusal('Give either names of runs, or --backfill and a job.');
    return cancelAll(home, session, options.backfill, options);
  }
  if (names.length === 0) throw new Refusal('Say which run: lamp cancel <run>, or lamp cancel --backfill <job>.');
  const found: Run[] = [];
  for (const name of names) found.push(await findRun(session, name));
  const over = found.find(({ state }) => isFinal(state));
  if (over) throw new Refusal(`${runName(over)} is over already: ${over.state}.`);

  const runs: Run[] = [];
  for (const { job, id } of found) {
    const run = await cancelRun(session, job, id, person(home, options), Date.now());
    if (!run) throw new Refusal(`${job}.${id} is gone from the store.`);
    if (run.cancel === null) throw new Refusal(`${runName(run)} was over before it could be cancelled: ${run.state}.`);
    if (!options.json) console.log(`${runName(run)} ${run.state === 'cancelled' ? 'cancelled' : 'is being ended'}.`);
    runs.push(run);
  }
  const [only] = runs;
  if (options.json) printJson(only && runs.length === 1 ? runJson(only) : runs.map(runJson));
}

async function cancelAll(home: Home, session: Session, name: string, options: CancelOptions): Promise<void> {
  const job = await knownJob(session, name);
  const runs = await cancelBackfill(session, job, person(home, options), Date.now());
  const [ended, ending] = [runs.filter(({ state }) => isFinal(state)), runs.filter(({ state }) => !isFinal(state))];
  if (options.json) return printJson({ job, cancelled: ended.map(runName), ending: ending.map(runName) });
  if (runs.length === 0) return console.log(`Nothing to do: no backfill of ${job} is under way.`);
  const also = ending.length > 0 ? `, ${ending.map(runName).join(', ')} is being ended` : '';
  console.log(`${count(ended.length, 'run')} of ${job} cancelled${also}.`);
}
