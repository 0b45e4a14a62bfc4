import { randomBytes } from 'node:crypto';
import { acknowledged, resolvedByHand } from '../alerts/incident.ts';
import { amend } from '../alerts/see.ts';
import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { JobEvent } from '../run/job-event.ts';
import type { Person } from '../run/run.ts';
import type { Incident } from '../store/incidents.ts';
import { brieflyAsked } from '../store/property.ts';
import type { Scope, Silence } from '../store/silences.ts';

/** What people do about incidents: each is in the audit. Those of the service itself are kept under its own name. */

/** Job under which the audit keeps what concerns the service. */
export const serviceName = '(service)';

type About = Pick<Incident, 'job' | 'cause' | 'subject' | 'id'>;

/** A person takes an incident: it is escalated no further. @returns undefined when it is not open any more */
export function acknowledge(
  parts: Parts,
  about: About,
  asked: Person,
  now: Instant,
  id?: string,
): Promise<Incident | undefined> {
  return change(parts, 'acknowledged', about, asked, now, (one) => acknowledged(one, asked.by, asked.why, now), id);
}

/** A person says that it is over. @returns undefined when it was already */
export function resolve(
  parts: Parts,
  about: About,
  asked: Person,
  now: Instant,
  id?: string,
): Promise<Incident | undefined> {
  return change(parts, 'resolved', about, asked, now, (one) => resolvedByHand(one, now), id);
}

/** Whether the request that came first at this instant took it. */
export function isTaken({ acknowledged: taken }: Incident, asked: Person, at: Instant): boolean {
  const { by, why } = brieflyAsked(asked);
  return taken?.at === at && taken.by === by && taken.why === why;
}

/** Whether the request that came first at this instant ended it. */
export function isEnded({ state, resolvedAt }: Incident, at: Instant): boolean {
  return state === 'resolved' && resolvedAt === at;
}

/**
 * First the audit: no incident is changed by a person that it does not know.
 * @param id of the entry in the audit: the same request again is the same entry
 */
async function change(
  parts: Parts,
  kind: 'acknowledged' | 'resolved',
  about: About,
  asked: Person,
  now: Instant,
  next: (incident: Incident) => Incident | undefined,
  id?: string,
): Promise<Incident | undefined> {
  const mine = (one: Incident) => (one.id === about.id ? next(one) : undefined);
  const found = (await parts.store.incidents.get(about))?.value;
  if (!found || !mine(found)) return undefined;
  await note(parts, found.job, kind, asked, now, { incident: found.id }, id);
  return amend(parts.store, about, mine);
}

/** Keeps messages back until a time: maintenance, or a known matter. @param id the same again is the same silence */
export async function silence(
  parts: Parts,
  scope: Scope,
  { from, until }: { from: Instant; until: Instant },
  asked: Person,
  now: Instant,
  id = randomBytes(4).toString('hex'),
): Promise<Silence> {
  const made: Silence = { id, scope, from, until, ...asked };
  // The same request again is the same event.
  const details = { silence: id, scope: scopeText(scope), until };
  await note(parts, jobOf(scope), 'silenced', asked, now, details, id);
  await parts.store.silences.add(made);
  return made;
}

/**
 * Ends a silence early. Its row stays for a while, as it is over: the same request again finds that it ended it.
 * @param entry id in the audit. @returns undefined when there is none of this id
 */
export async function unsilence(
  parts: Parts,
  id: string,
  asked: Person,
  now: Instant,
  entry?: string,
): Promise<Silence | undefined> {
  const found = (await parts.store.silences.get(id))?.value;
  if (!found) return undefined;
  const details = { silence: id, scope: scopeText(found.scope) };
  await note(parts, jobOf(found.scope), 'heard-again', asked, now, details, entry);
  return parts.store.silences.end(id, now);
}

export function scopeText(scope: Scope): string {
  return scope.kind === 'all' ? 'everything' : scope.name;
}

function jobOf(scope: Scope): string | null {
  return scope.kind === 'job' ? scope.name : null;
}

async function note(
  { store }: Parts,
  job: string | null,
  kind: JobEvent['kind'],
  asked: Person,
  at: Instant,
  details: JobEvent['details'],
  id?: string,
): Promise<void> {
  await store.events.append({ job: job ?? serviceName, at, kind, ...asked, details, ...(id !== undefined && { id }) });
}
