import { createHash } from 'node:crypto';
import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { Incident } from '../store/incidents.ts';
import type { Letter } from '../store/outbox.ts';
import type { Silence } from '../store/silences.ts';
import type { Versioned } from '../store/table.ts';
import type { Alerts } from './alerts.ts';
import { compose } from './compose.ts';
import { type Batch, batches, byAge, dueNow, slackOf } from './group.ts';
import { afterTime, isOver, isUnreported, reported } from './incident.ts';
import type { Message } from './message.ts';
import { routesOf } from './route.ts';
import { amend } from './see.ts';
import { silencedBy, tagsOf } from './silence.ts';
import { briefStory, storyOf } from './story.ts';

/** No more messages are made at once; the rest follows with the next tick. */
const mostAtOnce = 200;

/**
 * Turns what must be heard about incidents into messages in the outbox: new ones, reminders, escalations, recoveries.
 * Reads the open incidents, and nothing else when nothing is due. Safe to do again, by any host: an incident counts as
 * reported only after its messages are in the outbox, and a message has one key whoever makes it.
 */
export async function report(parts: Parts, alerts: Alerts, now: Instant): Promise<void> {
  const { store } = parts;
  const all: Versioned<Incident>[] = [];
  for await (const one of store.incidents.open()) all.push(one);
  if (all.length === 0) return;
  const hush = await hushed(parts, all, now);
  const fresh = await withTime(parts, all, hush, now);
  for (const incident of fresh) if (isOver(incident, now)) await store.incidents.archive(incident);

  const heard = fresh.filter((incident) => !hush(incident));
  const due = dueNow(heard, now);
  const routes = (incident: Incident) => {
    const job = incident.job === null ? undefined : parts.catalog().get(incident.job)?.job;
    return routesOf(incident, job, alerts.settings);
  };
  const kept = await post(parts, alerts, batches(due, routes), now);
  // The eldest last: as long as a part is left, it is the one that gives its message the key.
  for (const incident of due.toSorted(byAge).reverse()) {
    if (kept.has(incident.id)) continue;
    const next = await amend(store, incident, (one) =>
      one.id === incident.id ? reported(one, incident.step, now) : undefined,
    );
    if (next) parts.emit({ type: 'incident-reported', incident: next });
  }
}

/** Lets time do what it does: reminders, escalations, the end of flapping. */
async function withTime(
  { store }: Parts,
  all: readonly Versioned<Incident>[],
  hush: (incident: Incident) => boolean,
  now: Instant,
): Promise<Incident[]> {
  const dueGroups = new Set<string>();
  for (const { value } of all) {
    if (value.group !== null && !hush(value) && afterTime(value, now)?.kind === 'reminder') dueGroups.add(value.group);
  }
  const fresh: Incident[] = [];
  for (const { value, etag } of all) {
    const next = hush(value) ? quiet(value, now) : afterTime(value, now, slackOf(value, dueGroups));
    const written = next && (await store.incidents.replace(next, etag));
    if (!next) fresh.push(value);
    else if (written) fresh.push(written.value);
    // Else another writer was first: the next tick sees it as it is then.
  }
  return fresh;
}

/** What was opened and is over within a silence was never to be heard of; a recovery is reported after it. */
function quiet(incident: Incident, now: Instant): Incident | undefined {
  if (incident.state !== 'resolved' || !isUnreported(incident) || incident.kind === 'resolved') return undefined;
  return reported(incident, incident.step, now);
}

async function hushed(
  { store, catalog }: Parts,
  all: readonly Versioned<Incident>[],
  now: Instant,
): Promise<(incident: Incident) => boolean> {
  const waits = all.some(({ value }) => isUnreported(value) || afterTime(value, now) !== undefined);
  const silences: Silence[] = waits ? await store.silences.current() : [];
  return ({ job: name }) => {
    if (silences.length === 0) return false;
    const job = name === null ? undefined : catalog().get(name)?.job;
    return silencedBy(silences, { job: name, tags: job ? tagsOf(job) : [] }, now) !== undefined;
  };
}

/** @returns ids of incidents that are not in the outbox as a whole yet */
async function post(parts: Parts, alerts: Alerts, wanted: readonly Batch[], now: Instant): Promise<Set<string>> {
  const left = new Set<string>();
  for (const batch of wanted.slice(mostAtOnce)) for (const { id } of batch.incidents) left.add(id);
  for (const batch of wanted.slice(0, mostAtOnce)) {
    const letter = await parts.store.outbox.put(await letterOf(parts, alerts, batch, now));
    // Another host, or this one before it died, has made it of fewer incidents: the others follow by themselves.
    const inside = new Set(letter.reports);
    for (const one of batch.incidents) if (!inside.has(stepOf(one))) left.add(one.id);
  }
  return left;
}

async function letterOf(
  parts: Parts,
  alerts: Alerts,
  { channel, to, incidents }: Batch,
  now: Instant,
): Promise<Letter> {
  const [first, ...others] = incidents;
  const links = (await alerts.links?.(first, now)) ?? [];
  const story = await storyOf(parts, first);
  const message = compose([story, ...others.map((one) => briefStory(parts, one))], links, now);
  const { fallback } = alerts.settings;
  return {
    key: letterKey(message, channel, to),
    channel,
    to: to === null ? [] : [to],
    fallbacks: fallback.filter((name) => name !== channel),
    message: JSON.stringify(message),
    reports: incidents.map(stepOf),
    createdAt: now,
    notBefore: now,
    leasedUntil: null,
    tries: 0,
    error: null,
    state: 'waiting',
    doneAt: null,
  };
}

export function letterKey({ key }: Pick<Message, 'key'>, channel: string, to: string | null): string {
  const whom = to === null ? '' : `.${createHash('sha256').update(to).digest('hex').slice(0, 8)}`;
  return `${key}.${channel}${whom}`;
}

function stepOf({ id, step }: Incident): string {
  return `${id}.${step}`;
}
