import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { Incident } from '../store/incidents.ts';
import type { Letter } from '../store/outbox.ts';
import type { Silence } from '../store/silences.ts';
import type { Store } from '../store/store.ts';
import type { Versioned } from '../store/table.ts';
import type { Alerts } from './alerts.ts';
import { compose } from './compose.ts';
import { batches, dueNow, type Parcel, parcels, slackOf } from './group.ts';
import { afterTime, batchOf, inBatch, isOver, isUnreported, reported } from './incident.ts';
import { letterOf } from './letters.ts';
import type { Image, Message } from './message.ts';
import { closeOwned } from './owner.ts';
import { routesOf } from './route.ts';
import { amend } from './see.ts';
import { silencedBy, tagsOf } from './silence.ts';
import { briefStory, storyOf } from './story.ts';

/** No more messages are made at once; the rest follows with the next tick. */
const mostAtOnce = 100;
/** Characters of a message with a picture, in the row that it waits in. */
const mostWithPicture = 31_000;

/** The picture of an incident, drawn by the room that knows it; undefined: it has none. */
export type PictureOf = (parts: Parts, incident: Incident) => Promise<({ svg: string } & Image) | undefined>;
const noPicture: PictureOf = async () => undefined;

/**
 * Turns what must be heard about incidents into messages in the outbox: new ones, reminders, escalations, recoveries.
 * Reads the open incidents, and nothing else when nothing is due. Safe to do again, by any host: which message an
 * incident goes into is written down before it is made, and it counts as reported only after the message is in the outbox.
 */
export async function report(
  parts: Parts,
  alerts: Alerts,
  now: Instant,
  pictureOf: PictureOf = noPicture,
): Promise<void> {
  const { store } = parts;
  const open: Versioned<Incident>[] = [];
  for await (const one of store.incidents.open()) open.push(one);
  if (open.length === 0) return;
  const all = await closeOwned(parts, open, now);
  const hush = await hushed(parts, all, now);
  const fresh = await withTime(parts, all, hush, now);
  for (const { value } of fresh) if (isOver(value, now)) await store.incidents.archive(value);

  const heard = fresh.filter(({ value }) => !hush(value));
  const due = dueNow(
    heard.map(({ value }) => value),
    now,
  );
  const ids = new Set(due.map(({ id }) => id));
  const wanted = batches(heard.filter(({ value }) => ids.has(value.id)));
  for (const { key, members } of wanted.slice(0, mostAtOnce)) {
    try {
      const inside = await claimed(store, key, members);
      if (inside.length > 0) await reportBatch(parts, alerts, key, inside, now, pictureOf);
    } catch (error) {
      // A message that cannot be made must not keep the others back; the next tick tries it again.
      parts.emit({ type: 'trouble', doing: `reporting ${key}`, error });
    }
  }
}

/** Writes down which message each goes into. @returns those that no other host has put into another */
async function claimed({ incidents }: Store, key: string, members: readonly Versioned<Incident>[]) {
  const inside: Incident[] = [];
  for (const { value, etag } of members) {
    const mine = batchOf(value) === key ? { value } : await incidents.replace(inBatch(value, key), etag);
    if (mine) inside.push(mine.value);
  }
  return inside;
}

async function reportBatch(
  parts: Parts,
  alerts: Alerts,
  key: string,
  inside: readonly Incident[],
  now: Instant,
  pictureOf: PictureOf,
) {
  const routes = (incident: Incident) => {
    const job = incident.job === null ? undefined : parts.catalog().get(incident.job)?.job;
    return routesOf(incident, job, alerts.settings);
  };
  const left = new Set<string>();
  for (const parcel of parcels(inside, routes)) {
    const letter = await parts.store.outbox.put(await makeLetter(parts, alerts, key, parcel, now, pictureOf));
    // Another host, or this one before it died, has made it of fewer incidents: the others go into another.
    for (const one of parcel.incidents) if (!letter.reports.includes(stepOf(one))) left.add(one.id);
  }
  for (const incident of inside) {
    const next = await amend(parts.store, incident, (one) => {
      if (one.id !== incident.id) return undefined;
      return left.has(one.id) ? inBatch(one, null) : reported(one, incident.step, now);
    });
    if (next && !left.has(next.id)) parts.emit({ type: 'incident-reported', incident: next });
  }
}

/** Lets time do what it does: reminders, escalations, the end of flapping. */
async function withTime(
  { store }: Parts,
  all: readonly Versioned<Incident>[],
  hush: (incident: Incident) => boolean,
  now: Instant,
): Promise<Versioned<Incident>[]> {
  const dueGroups = new Set<string>();
  for (const { value } of all) {
    if (value.group !== null && !hush(value) && afterTime(value, now)?.kind === 'reminder') dueGroups.add(value.group);
  }
  const fresh: Versioned<Incident>[] = [];
  for (const one of all) {
    const { value, etag } = one;
    const next = hush(value) ? quiet(value, now) : afterTime(value, now, slackOf(value, dueGroups));
    const written = next && (await store.incidents.replace(next, etag));
    if (!next) fresh.push(one);
    else if (written) fresh.push(written);
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

async function makeLetter(
  parts: Parts,
  alerts: Alerts,
  key: string,
  { channel, to, incidents }: Parcel,
  now: Instant,
  pictureOf: PictureOf,
): Promise<Letter> {
  const [first, ...others] = incidents;
  const links = (await alerts.links?.of(first, to ?? channel, now)) ?? [];
  const story = await storyOf(parts, first);
  const message = await illustrated(
    parts,
    compose(key, [story, ...others.map((one) => briefStory(parts, one))], links, now),
    first,
    pictureOf,
  );
  const fallbacks = alerts.settings.fallback.filter((name) => name !== channel);
  return letterOf(message, { channel, to, fallbacks, reports: incidents.map(stepOf) }, now);
}

/** With the picture of its first incident when there is room. A message does not wait for one that cannot be drawn. */
async function illustrated(parts: Parts, message: Message, incident: Incident, pictureOf: PictureOf): Promise<Message> {
  if (message.severity === 'good') return message;
  try {
    const drawn = await pictureOf(parts, incident);
    if (!drawn) return message;
    const { svg, png, words } = drawn;
    const forms = [{ picture: svg, image: { png, words } }, { image: { png, words } }, { picture: svg }];
    const fitting = forms.map((form) => ({ ...message, ...form }));
    return fitting.find((one) => JSON.stringify(one).length <= mostWithPicture) ?? message;
  } catch (error) {
    parts.emit({ type: 'trouble', doing: `drawing ${incident.id}`, error });
    return message;
  }
}

function stepOf({ id, step }: Incident): string {
  return `${id}.${step}`;
}
