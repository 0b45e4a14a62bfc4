import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { day, type Instant } from '../instant.ts';
import { once } from '../once.ts';
import { causes, type Incident } from '../store/incidents.ts';
import { cut } from '../text.ts';
import type { Link } from './message.ts';

/** Links of messages: who has one may look, and after a question acknowledge, rerun or answer a finding, once, for three days. */

export const linkPath = '/api/alerts';
export const linkActs = ['acknowledge', 'rerun', 'answer'] as const;
export type LinkAct = (typeof linkActs)[number];

const validFor = 3 * day;

/** What a link is about. Short names: it goes into an address. */
const contents = z.object({
  j: z.string().nullable(),
  c: z.enum(causes),
  s: z.string(),
  /** Id of the incident: a later one of the same cause is another matter. */
  i: z.string(),
  /** The run that would be repeated. */
  r: z.string().nullable(),
  /** Where the message went: the audit names it. */
  h: z.string().max(300).optional(),
  e: z.number(),
});

export interface Ticket {
  incident: Pick<Incident, 'job' | 'cause' | 'subject' | 'id'>;
  run: string | null;
  /** Who the message was for: a channel, and its address where it has several; null: made before this was kept. */
  sentTo: string | null;
  until: Instant;
}

export interface AlertLinks {
  /** @param sentTo the one that the message is for, as the audit is to name them */
  of(incident: Incident, sentTo: string, now: Instant): Promise<Link[]>;
  /** Undefined: it was not made here, or is too old. */
  read(token: string, now: Instant): Promise<Ticket | undefined>;
}

/**
 * @param base where people reach the service, e.g. https://lamp.contoso.com
 * @param key of this installation; asked for once
 */
export function alertLinks(base: string, key: () => Promise<Buffer>): AlertLinks {
  const known = once(key);
  const sign = async (payload: string) =>
    createHmac('sha256', await known())
      .update(`alert ${payload}`)
      .digest('base64url');
  return {
    async of({ job, cause, subject, id, run }, sentTo, now) {
      const json = JSON.stringify({
        j: job,
        c: cause,
        s: subject,
        i: id,
        r: run,
        h: cut(sentTo, 300),
        e: now + validFor,
      });
      const payload = Buffer.from(json).toString('base64url');
      const url = new URL(`${linkPath}/${payload}.${await sign(payload)}`, base).href;
      const links: Link[] = [
        { label: 'Open', url },
        { label: 'Acknowledge', url: `${url}?do=acknowledge` },
      ];
      // What drifts needs a word on what is right, and no second run.
      if (cause === 'drift') return [...links, { label: 'Answer', url: `${url}?do=answer` }];
      // A run by hand can repeat only what has been one.
      return job !== null && run !== null ? [...links, { label: 'Rerun', url: `${url}?do=rerun` }] : links;
    },
    async read(token, now) {
      const [payload = '', mac = '', ...more] = token.split('.');
      // What a token could be padded with would make another use of it.
      if (more.length > 0) return undefined;
      const [given, expected] = [Buffer.from(mac), Buffer.from(await sign(payload))];
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      const { j, c, s, i, r, h = null, e } = contents.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
      const incident = { job: j, cause: c, subject: s, id: i };
      return now < e ? { incident, run: r, sentTo: h, until: e } : undefined;
    },
  };
}

/** What is written down when a link is used. */
export function useOf(token: string, act: LinkAct): string {
  return createHash('sha256').update(`${act} ${token}`).digest('hex');
}
