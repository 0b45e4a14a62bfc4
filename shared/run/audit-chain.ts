import { createHash } from 'node:crypto';
import type { Instant } from '../instant.ts';
import type { JobEvent } from './job-event.ts';

/** One entry of the audit, chained to the one before it: what was written can be neither changed nor left out unseen. */
export interface AuditEntry {
  /** From 1, without gaps, over all days. */
  number: number;
  /** The day whose chain it belongs to, UTC, e.g. 2026-11-28; never before that of the entry before it. */
  day: string;
  event: AuditEvent;
  /** The event as it was digested, to the letter. */
  text: string;
  /** Digest of the entry before, hex; of the first: zeros. */
  previous: string;
  /** SHA-256 of number, day, previous and text, hex. */
  digest: string;
}

export type AuditEvent = JobEvent & { id: string };

/** What the next entry is chained to. */
export type Head = Pick<AuditEntry, 'number' | 'day' | 'digest'>;

/** Before the first entry. */
export const noEntry: Head = { number: 0, day: '', digest: '0'.repeat(64) };

/** The entry that follows `before`. A late event joins the day that has begun: a day that is over grows no more. */
export function chained(event: AuditEvent, before: Head): AuditEntry {
  const number = before.number + 1;
  const own = dayOf(event.at);
  const day = own > before.day ? own : before.day;
  const text = eventText(event);
  return {
    number,
    day,
    event,
    text,
    previous: before.digest,
    digest: digestOf({ number, day, previous: before.digest, text }),
  };
}

export function digestOf({
  number,
  day,
  previous,
  text,
}: Pick<AuditEntry, 'number' | 'day' | 'previous' | 'text'>): string {
  return createHash('sha256').update(`${number}\n${day}\n${previous}\n${text}`).digest('hex');
}

/** The one way to write an event down: JSON without spaces, fields in this order, details by name. */
export function eventText({ job, at, id, kind, by, why, details }: AuditEvent): string {
  const named = Object.entries(details).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ job, at, id, kind, by, why, details: Object.fromEntries(named) });
}

export function readEventText(text: string): AuditEvent {
  return JSON.parse(text) as AuditEvent;
}

/** UTC: `2026-11-28` */
export function dayOf(at: Instant): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** A head in one word, to be kept elsewhere: `2026-11-28.412.<digest>` */
export function headText({ day, number, digest }: Head): string {
  return `${day}.${number}.${digest}`;
}

/** Undefined: it is none. */
export function readHead(text: string): Head | undefined {
  const [, day, number, digest] = /^(\d{4}-\d\d-\d\d)\.([1-9]\d{0,11})\.([0-9a-f]{64})$/.exec(text) ?? [];
  return day && number && digest ? { day, number: Number(number), digest } : undefined;
}
