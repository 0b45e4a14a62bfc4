import { createHash } from 'node:crypto';
import type { Instant } from '../instant.ts';
import type { Letter } from '../store/outbox.ts';
import type { Message } from './message.ts';

/** A message on its way to one place. */
export function letterOf(
  message: Message,
  { channel, to, fallbacks, reports }: { channel: string; to: string | null; fallbacks: string[]; reports: string[] },
  now: Instant,
): Letter {
  const whom = to === null ? '' : `.${createHash('sha256').update(to).digest('hex').slice(0, 8)}`;
  return {
    key: `${message.key}.${channel}${whom}`,
    channel,
    to: to === null ? [] : [to],
    fallbacks,
    message: JSON.stringify(message),
    reports,
    createdAt: now,
    notBefore: now,
    leasedUntil: null,
    tries: 0,
    error: null,
    state: 'waiting',
    doneAt: null,
  };
}
