import { type Instant, second } from '../instant.ts';
import type { Alerts } from './alerts.ts';
import { admit } from './channels/guard.ts';
import { post } from './channels/post.ts';

/** Ticks on one machine come more often; outside monitors count minutes. */
const atMostEvery = 50 * second;
const limitMs = 5 * second;
const lastSent = new WeakMap<Alerts, Instant>();

/** Lets an outside monitor know that ticks come: it raises the alarm when this stops. @throws ChannelError */
export async function sendHeartbeat(alerts: Alerts, now: Instant): Promise<void> {
  if (!alerts.heartbeat || now - (lastSent.get(alerts) ?? 0) < atMostEvery) return;
  lastSent.set(alerts, now);
  const { hosts, privateHosts } = alerts.settings;
  const { url, mayBePrivate } = admit(await alerts.heartbeat(), { hosts, privateHosts });
  await post({ url, mayBePrivate, body: '', limitMs, method: 'GET' });
}
