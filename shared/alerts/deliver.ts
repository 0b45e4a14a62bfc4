import { hour, type Instant, minute, second } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { Letter } from '../store/outbox.ts';
import type { Versioned } from '../store/table.ts';
import type { Alerts } from './alerts.ts';
import { ChannelError } from './channels/channel.ts';
import { line } from './clean.ts';
import { resolved } from './incident.ts';
import type { Message } from './message.ts';
import { amend, record } from './see.ts';

/** A sender has a letter for this long; one message takes a quarter of a minute at most. */
const lease = 2 * minute;
/** A channel is sent this many letters in one go, and none is begun after this time: the next tick must not wait. */
const mostOfChannel = 60;
const budgetMs = 20 * second;
/** After this many tries that failed in passing a letter goes to the fallback as well. */
const triesAlone = 4;
/** The first wait after a failed try; it doubles, up to the longest. */
const firstWait = 30 * second;
const longestWait = 30 * minute;
/** What the other side asks for is granted up to this. */
const longestAsked = 6 * hour;
/** A letter that a fallback has as well is given up after this time; the last of its chain is tried for a week. */
const patience = 24 * hour;
const lastPatience = 7 * 24 * hour;

/**
 * Sends what waits in the outbox: each letter by one sender at a time, marked only after its channel has accepted it. So
 * each arrives at least once; one whose sender died in between arrives twice, with the same key. A channel's letters go
 * one after the other, channels side by side. Bounded in number and time.
 */
export async function deliver(parts: Parts, alerts: Alerts, now: Instant): Promise<void> {
  const began = performance.now();
  // Leases are for others' clocks; waits count from this tick, so that a later one meets them.
  const leaseUntil = () => now + Math.round(performance.now() - began) + lease;
  const byChannel = new Map<string, Versioned<Letter>[]>();
  // Counted by channel: one that takes nothing, or a job that sends much by it, must not fill the round of the others.
  for await (const found of parts.store.outbox.waiting()) {
    const { notBefore, leasedUntil, channel } = found.value;
    if (notBefore > now || (leasedUntil !== null && leasedUntil > now)) continue;
    const others = byChannel.get(channel) ?? [];
    byChannel.set(channel, others);
    if (others.length < mostOfChannel) others.push(found);
  }
  await Promise.all(
    [...byChannel.values()].map(async (letters) => {
      for (const letter of letters.toSorted((a, b) => a.value.createdAt - b.value.createdAt)) {
        if (performance.now() - began > budgetMs) return;
        if ((await deliverOne(parts, alerts, letter, leaseUntil(), now)) === 'channel in trouble') return;
      }
    }),
  );
}

async function deliverOne(parts: Parts, alerts: Alerts, found: Versioned<Letter>, leasedUntil: Instant, now: Instant) {
  const { outbox } = parts.store;
  const { value } = found;
  const taken = await outbox.replace({ ...value, leasedUntil, tries: value.tries + 1 }, found.etag);
  if (!taken) return undefined;
  const letter = taken.value;
  try {
    const channel = alerts.channels.get(letter.channel);
    if (!channel) throw new ChannelError(`there is no channel ${letter.channel} in alerts.yaml`, true);
    await channel.send(JSON.parse(letter.message) as Message, letter.to);
  } catch (error) {
    const trouble =
      error instanceof ChannelError ? error : new ChannelError(line(String(error), 200), false, null, error);
    await failed(parts, alerts, taken, trouble, now);
    // It wants to be left alone: so do the letters behind this one.
    return trouble.permanent ? undefined : 'channel in trouble';
  }
  await outbox.close({ ...letter, leasedUntil: null, state: 'accepted', doneAt: now, error: null });
  await amend(parts.store, brokenChannel(letter.channel), (incident) => resolved(incident, now));
  return undefined;
}

async function failed(parts: Parts, alerts: Alerts, found: Versioned<Letter>, error: ChannelError, now: Instant) {
  const { outbox } = parts.store;
  const letter: Letter = { ...found.value, leasedUntil: null, error: error.message };
  parts.emit({
    type: 'alert-not-sent',
    channel: letter.channel,
    key: letter.key,
    error: error.message,
    permanent: error.permanent,
  });
  const hopeless = error.permanent || letter.tries >= triesAlone;
  if (hopeless) {
    await reportBroken(parts, letter, error, now);
    const next = letter.fallbacks.find((name) => alerts.channels.has(name));
    if (next) {
      // Made again, by this host or another, it is the same.
      await outbox.put(redirected(letter, next, alerts, now));
      letter.fallbacks = [];
      if (error.permanent) return outbox.close({ ...letter, state: 'given-up', doneAt: now });
    } else if (now > letter.createdAt + (letter.key.includes('.via.') || error.permanent ? lastPatience : patience)) {
      return outbox.close({ ...letter, state: 'given-up', doneAt: now });
    }
  }
  const growing = Math.min(firstWait * 2 ** Math.min(letter.tries - 1, 20), longestWait);
  const asked = Math.min(error.retryAfterMs ?? 0, longestAsked);
  const wait = Math.max(error.permanent ? hour : growing, asked);
  return outbox.replace({ ...letter, notBefore: now + wait }, found.etag);
}

/** The same message by another channel. Its key names the first, so that it is made once. */
function redirected(letter: Letter, channel: string, { settings }: Alerts, now: Instant): Letter {
  const fallbacks = letter.fallbacks.filter((name) => name !== channel);
  const to = channel === settings.email && settings.fallbackEmail ? [settings.fallbackEmail] : [];
  const fresh = { createdAt: now, notBefore: now, leasedUntil: null, tries: 0, error: null };
  return { ...letter, ...fresh, key: `${letter.key}.via.${channel}`, channel, to, fallbacks, state: 'waiting' };
}

async function reportBroken({ store }: Parts, { channel }: Letter, error: ChannelError, now: Instant): Promise<void> {
  const about = brokenChannel(channel);
  const found = await store.incidents.get(about);
  if (found && found.value.state !== 'resolved') return;
  await record(store, { ...about, tier: 'standard', text: `${channel}: ${error.message}` }, now);
}

function brokenChannel(channel: string) {
  return { job: null, cause: 'channel', subject: channel } as const;
}
