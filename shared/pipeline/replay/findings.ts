import { attribute } from '../../drift/attribution.ts';
import { changesBetween, type RunFacts } from '../../drift/change.ts';
import { evidenceOf } from '../../drift/evidence.ts';
import type { Finding } from '../../drift/finding.ts';
import type { Replayed, ReplayState } from '../../drift/replay.ts';
import { earlySentence } from '../../drift/sentence-early.ts';
import type { Instant } from '../../instant.ts';
import type { Parts } from '../../parts.ts';
import type { Run } from '../../run/run.ts';
import { bundleFacts } from '../bundle-facts.ts';
import { closeIncident, report } from '../drift.ts';
import { timeZoneOf } from '../drift-setting.ts';
import { explain } from '../explain.ts';

/** Findings that are looked through, and replays that are compared. */
const recent = 10;
export const replaysCompared = 100;

/**
 * What a replay does to findings: those that are open get its verdict, one that says early that the job answers otherwise
 * is opened, or is over. @returns the id of that one, while it is open
 */
export async function followFindings(
  parts: Parts,
  replayed: Replayed,
  state: ReplayState,
  now: Instant,
): Promise<string | null> {
  const { store, catalog } = parts;
  const findings = await store.drift.findings(replayed.job, recent);
  const job = catalog().get(replayed.job)?.job;
  const open = findings.filter((one) => one.state === 'open' || one.state === 'real');
  const early = open.find(({ id }) => id === (state.finding ?? earlyId(replayed)));
  const live = open.filter(({ signs, replay }) => signs.length > 0 && !replay);
  const run = live.length > 0 ? await newestSuccess(parts, replayed.job) : undefined;
  for (const finding of live) {
    if (!run || replayed.slot < finding.since) continue;
    const next = await explain(parts, run, job, finding);
    if (next.replay) await report(parts, run, job, next, now, 'verdict');
  }
  if (replayed.state === 'still' && early && early.signs.length === 0) {
    const next: Finding = { ...early, state: 'recovered' };
    await store.drift.putFinding(next);
    parts.emit({ type: 'drift-recovered', finding: next });
    await closeIncident(parts, replayed.job, next, now);
    return null;
  }
  if (replayed.state !== 'moved') return early?.id ?? null;
  // The results say it already, or it was said.
  if (open.some(({ signs }) => signs.length > 0)) return early?.id ?? null;
  if (early) return early.id;
  const finding = await earlyFinding(parts, replayed);
  const replay = (await store.runs.get(replayed.job, replayed.run))?.value;
  if (replay) await report(parts, replay, job, finding, now);
  return finding.id;
}

/** No metric's finding has this id: those are at slots, in whole seconds. */
function earlyId({ slot }: Replayed): string {
  return String(slot + 1);
}

async function newestSuccess({ store }: Parts, job: string): Promise<Run | undefined> {
  let read = 0;
  for await (const { value } of store.runs.list(job, { page: 50 })) {
    if (value.state === 'succeeded') return value;
    if (++read === 200) break;
  }
  return undefined;
}

/** The results are as before, and the job answers its examples otherwise. */
async function earlyFinding(parts: Parts, replayed: Replayed): Promise<Finding> {
  const { store, catalog } = parts;
  const replays = await store.replays.list(replayed.job, replaysCompared);
  const older = replays.filter(({ slot, state }) => slot < replayed.slot && state !== 'unknown');
  const still = older.find(({ state }) => state === 'still');
  const moved = older.slice(0, still ? older.indexOf(still) : older.length).at(-1);
  const first = moved ?? replayed;
  const bundles = await bundleFacts(
    parts,
    [still, first].flatMap((one) => one?.facts.versions?.bundle ?? []),
  );
  const factsOf = ({ facts }: Replayed): RunFacts => ({ ...bundles.get(facts.versions?.bundle ?? ''), ...facts });
  const changes = still
    ? changesBetween(factsOf(still), factsOf(first), 0).map((one) => ({ ...one, slot: first.slot }))
    : [];
  const attribution = attribute({ change: 0, changes, replay: 'moved', live: 'still' });
  const { changed, of, run, worst } = replayed;
  const timeZone = timeZoneOf(catalog().get(replayed.job)?.job);
  return {
    id: earlyId(replayed),
    job: replayed.job,
    state: 'open',
    since: first.slot,
    found: replayed.slot,
    signs: [],
    sentence: earlySentence({ since: first.slot, timeZone, changed, of, attribution, isNew: !still }),
    attribution,
    replay: evidenceOf(replays, { from: first.slot, since: first.slot }, 0) ?? {
      state: 'moved',
      changed,
      of,
      run,
      worst,
    },
    snoozedUntil: null,
    answered: null,
  };
}
