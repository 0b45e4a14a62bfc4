import { alertUpkeep } from '../alerts/upkeep.ts';
import { day, hour, type Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { replayDaily } from '../pipeline/replay/daily.ts';
import { keepAudit } from './audit.ts';
import { forget, type Retention } from './retention.ts';
import { checkSecrets } from './secrets.ts';

/** How long history is kept unless an installation says otherwise, and the least: what the law asks of high-risk systems. */
export const retentionDays = { usual: 400, least: 183 };

/** What is not urgent, on one machine and in Azure alike: secrets that expire, alert channels, and history that is older than it must be. */
export async function upkeep(
  parts: Parts,
  { days, ...retention }: Retention & { days: number },
  now: Instant,
): Promise<void> {
  try {
    await checkSecrets(parts, now);
  } catch (error) {
    parts.emit({ type: 'trouble', doing: 'checking the secrets', error });
  }
  try {
    await alertUpkeep(parts, now);
  } catch (error) {
    parts.emit({ type: 'trouble', doing: 'trying the alert channels', error });
  }
  try {
    await keepAudit(parts, now);
  } catch (error) {
    parts.emit({ type: 'trouble', doing: 'keeping the audit', error });
  }
  try {
    await replayDaily(parts, now);
  } catch (error) {
    parts.emit({ type: 'trouble', doing: 'replaying frozen examples', error });
  }
  await forgetDaily(parts, days, retention, now);
}

/** Once a day, by a timer that is not quite regular; a host that starts again does not read the history of all jobs again. */
const atMostEvery = 20 * hour;

async function forgetDaily(parts: Parts, days: number, retention: Retention, now: Instant): Promise<void> {
  const { marks } = parts.store;
  const last = await marks.get('forgotten');
  if (last !== undefined && now - last < atMostEvery) return;
  try {
    await parts.store.requests.forget(now);
  } catch (error) {
    parts.emit({ type: 'trouble', doing: 'forgetting the idempotency keys of yesterday', error });
  }
  const { complete } = await forget(parts, now - days * day, retention);
  // What there was no time for is done by the next call.
  if (complete) await marks.advance('forgotten', now, parts.person);
}
