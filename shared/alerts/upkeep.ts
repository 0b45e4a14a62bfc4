import { day, hour, type Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { Store } from '../store/store.ts';
import type { Alerts } from './alerts.ts';
import { resolved } from './incident.ts';
import { sendDigests } from './receipts.ts';
import { amend, record } from './see.ts';
import { tryChannel } from './try.ts';

/** Once a day, by a timer that is not quite regular. */
const atMostEvery = 20 * hour;
/** Letters that are done are kept this long: `lamp alerts sent` shows them, and none is made twice. */
const lettersFor = 7 * day;
const silencesFor = 30 * day;

/** The daily care for alerts: channels are tried, digests of the week are made, and what is long done is forgotten. */
export async function alertUpkeep(parts: Parts, now: Instant): Promise<void> {
  if (parts.alerts) {
    await testChannels(parts, parts.alerts, now);
    await sendDigests(parts, parts.alerts, now);
  }
  await forgetDone(parts.store, now);
}

/**
 * Sends a test by each channel that has not taken a message within the last day: one that has works. A channel that fails
 * is an incident, which the other channels report.
 */
export async function testChannels(parts: Parts, alerts: Alerts, now: Instant): Promise<void> {
  const { store, person, emit } = parts;
  const last = await store.marks.get('channels');
  if (last !== undefined && now - last < atMostEvery) return;
  const proven = new Set<string>();
  for await (const { state, doneAt, channel } of store.outbox.done()) {
    if (state === 'accepted' && (doneAt ?? 0) > now - day) proven.add(channel);
  }
  for (const channel of alerts.channels.values()) {
    if (proven.has(channel.name)) continue;
    const { error, permanent } = await tryChannel(alerts, channel, person, now);
    const about = { job: null, cause: 'channel', subject: channel.name } as const;
    if (error === null) await amend(store, about, (incident) => resolved(incident, now));
    else {
      emit({ type: 'alert-not-sent', channel: channel.name, key: 'the daily test', error, permanent });
      await record(store, { ...about, tier: 'standard', text: `${channel.name}: ${error}` }, now);
    }
  }
  await store.marks.advance('channels', now, person);
}

async function forgetDone({ outbox, silences, usedLinks }: Store, now: Instant): Promise<void> {
  const old: string[] = [];
  for await (const { key, doneAt } of outbox.done()) if ((doneAt ?? 0) < now - lettersFor) old.push(key);
  await outbox.forget(old);
  for (const { id, until } of await silences.current()) if (until < now - silencesFor) await silences.remove(id);
  await usedLinks.forget(now - day);
}
