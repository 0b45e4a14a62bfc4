import type { Instant } from '../instant.ts';
import type { Deployed } from '../job/catalog.ts';
import { type Golden, goldenIn } from '../job/golden.ts';
import type { Parts } from '../parts.ts';
import { isReplayed, problemOf, wantReplay } from '../pipeline/replay/request.ts';
import type { Person } from '../run/run.ts';

/** What becomes of a replay that a person asks for. */
export interface AskedReplay {
  /** Id of the run that answers it; null: it is queued when the one under way is over. */
  run: string | null;
  /** Id of the run under way that it waits for. */
  after: string | null;
}

/** A state that another host changes between two looks is looked at again. */
const looks = 5;

/** With its frozen examples as they were deployed, where this process has read no code, as a command on one machine has not. */
export async function withExamples(
  { store }: Parts,
  deployed: Deployed,
  bundle: string | undefined,
): Promise<Deployed> {
  if (deployed.golden !== undefined || bundle === undefined) return deployed;
  const zip = await store.bundles.get(bundle);
  return { ...deployed, bundle, golden: zip ? examplesIn(zip) : null };
}

function examplesIn(zip: Buffer): Golden | null {
  try {
    return goldenIn(zip);
  } catch {
    // A bundle that cannot be read has none that could be run.
    return null;
  }
}

/** Why the service cannot replay the job, as the end of a sentence; undefined: it can. */
export function noReplay(deployed: Deployed): string | undefined {
  const { job, golden } = deployed;
  if (job.external) return 'it runs elsewhere, where the service starts nothing';
  if (job.status === 'decommissioned') return 'it is decommissioned';
  if (golden == null) return 'it has no frozen examples: put them into its golden/ folder, see docs/drift.md';
  if (!isReplayed(deployed)) return 'job.yaml does not say how: add replay: { command: [...] }, see docs/drift.md';
  return problemOf(deployed);
}

/**
 * Replays a job on its frozen examples now. One is under way at a time: a second one follows it, unless it has only just
 * been started. @param id of the entry in the audit: the same request again is the same entry
 * @returns undefined: others kept it from being started
 */
export async function replayNow(
  parts: Parts,
  deployed: Deployed,
  asked: Person,
  now: Instant,
  id: string,
): Promise<AskedReplay | undefined> {
  const { store } = parts;
  const { name } = deployed.job;
  // First the audit: nothing runs that it does not know.
  await store.events.append({ id, job: name, at: now, kind: 'replay-asked', ...asked, details: {} });
  for (let look = 0; look < looks; look++) {
    await wantReplay(parts, deployed, 'asked', now);
    const state = (await store.replays.state(name))?.value;
    if (!state?.running) continue;
    const { run } = state.running;
    return state.wanted === null ? { run, after: null } : { run: null, after: run };
  }
  return undefined;
}
