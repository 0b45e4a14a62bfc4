import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { deliver } from './deliver.ts';
import { sendHeartbeat } from './heartbeat.ts';
import { type PictureOf, report } from './report.ts';
import { type Outage, seeOutage } from './see.ts';
import { noAlerts } from './settings.ts';

/**
 * The last part of a tick, after all slots are claimed and all runs looked at: what must be heard is put into words and
 * sent. Whatever fails here is reported and tried again with the next tick.
 */
export async function alert(parts: Parts, outage: Outage, now: Instant, pictureOf?: PictureOf): Promise<void> {
  const { alerts = { settings: noAlerts, channels: new Map() } } = parts;
  const safely = (doing: string, work: Promise<void>) =>
    work.catch((error) => parts.emit({ type: 'trouble', doing, error }));
  await safely('recording an outage of the scheduler', seeOutage(parts, outage, now));
  await safely('reporting incidents', report(parts, alerts, now, pictureOf));
  await safely('sending alerts', deliver(parts, alerts, now));
  await safely('sending the heartbeat to the outside monitor', sendHeartbeat(alerts, now));
}
