import type { ReplayReason, ReplayState } from '../../drift/replay.ts';
import type { Instant } from '../../instant.ts';
import type { Deployed } from '../../job/catalog.ts';
import type { Parts } from '../../parts.ts';
import type { Run } from '../../run/run.ts';
import { modelOf } from '../alike.ts';
import { amendReplays, isReplayed, wantReplay } from './request.ts';

/** What calls for a replay at once. A job without frozen examples costs no request here. */

/** A replay that cannot be started now is no reason to fail what called for it: the daily one comes. */
export async function replaySoon(parts: Parts, job: string, reason: ReplayReason, now: Instant): Promise<void> {
  const deployed = parts.catalog().get(job);
  if (!deployed || !isReplayed(deployed)) return;
  await wantReplay(parts, deployed, reason, now).catch((error) => {
    parts.emit({ type: 'trouble', doing: `starting a replay of ${job}`, error });
  });
}

/** A successful run with other code, packages, image, secrets or model than the one before wants a replay. */
export async function seeVersions(parts: Parts, runs: readonly Run[], now: Instant): Promise<void> {
  const run = runs.findLast(({ state }) => state === 'succeeded');
  const deployed = run && parts.catalog().get(run.job);
  if (!run || !deployed || !isReplayed(deployed)) return;
  await seen(parts, deployed, { bundle: run.versions?.bundle ?? null, rest: restOf(run) }, now);
}

/** A deployment of other code: before the first run of it. One that is not known yet is pinned after its first success. */
export async function seeDeployed(parts: Parts, deployed: Deployed, now: Instant): Promise<void> {
  if (!isReplayed(deployed)) return;
  await seen(parts, deployed, { bundle: deployed.bundle }, now).catch((error) => {
    parts.emit({ type: 'trouble', doing: `looking whether ${deployed.job.name} wants a replay`, error });
  });
}

async function seen(
  parts: Parts,
  deployed: Deployed,
  now: Partial<Pick<ReplayState, 'bundle' | 'rest'>>,
  at: Instant,
): Promise<void> {
  let changed = false;
  const written = await amendReplays(parts, deployed.job.name, (state) => {
    const differs = (name: 'bundle' | 'rest') => now[name] != null && now[name] !== state[name];
    if (!differs('bundle') && !differs('rest')) return undefined;
    // What has never run has nothing to compare with, and what a first run shows is no change.
    changed = (differs('bundle') && state.bundle !== null) || (differs('rest') && state.rest !== null);
    if (now.rest === undefined && state.rest === null) return undefined;
    return { ...state, ...now };
  });
  if (written) await wantReplay(parts, deployed, changed ? 'change' : 'pin', at);
}

/** All that may change the answers of a job but its code, as text. */
function restOf({ versions, metrics }: Run): string {
  const { lock = null, image = null, python = null, secrets = {} } = versions ?? {};
  const model = [modelOf(metrics, 'model'), modelOf(metrics, 'model_fingerprint')];
  return JSON.stringify([lock, image, python, Object.entries(secrets).sort(), model]);
}
