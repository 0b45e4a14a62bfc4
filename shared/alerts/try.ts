import { type Instant, iso } from '../instant.ts';
import type { Alerts } from './alerts.ts';
import { type Channel, ChannelError } from './channels/channel.ts';
import { line } from './clean.ts';
import type { Message } from './message.ts';

/** How a channel did when it was tried. */
export interface Trial {
  channel: string;
  place: string;
  /** Null: it took the message. */
  error: string | null;
  permanent: boolean;
}

/** A message that says it is none. */
export function testMessage(channel: string, by: string, now: Instant): Message {
  return {
    key: `test.${channel}.${now}`,
    thread: `test.${channel}`,
    kind: 'test',
    severity: 'good',
    title: `TEST of the alert channel ${channel}`,
    sections: [
      { kind: 'text', text: 'This is a test. Nothing is wrong, and nothing needs to be done.' },
      { kind: 'facts', facts: [{ name: 'Sent', value: `${iso(now)} by ${line(by, 100)}` }] },
    ],
    links: [],
    at: now,
  };
}

/** Sends a test to one channel. E-mail without addresses of its own goes to the fallback address. */
export async function tryChannel({ settings }: Alerts, channel: Channel, by: string, now: Instant): Promise<Trial> {
  const place = await channel.place().catch((error: Error) => line(error.message, 200));
  const to = channel.name === settings.email && settings.fallbackEmail ? [settings.fallbackEmail] : [];
  try {
    await channel.send(testMessage(channel.name, by, now), to);
    return { channel: channel.name, place, error: null, permanent: false };
  } catch (error) {
    const permanent = error instanceof ChannelError && error.permanent;
    return { channel: channel.name, place, error: line((error as Error).message, 300), permanent };
  }
}
