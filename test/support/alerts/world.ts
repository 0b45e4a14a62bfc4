import type { Alerts } from '../../../shared/alerts/alerts.ts';
import { type Channel, ChannelError } from '../../../shared/alerts/channels/channel.ts';
import type { Message } from '../../../shared/alerts/message.ts';
import { type AlertSettings, alertSettings } from '../../../shared/alerts/settings.ts';
import type { Instant } from '../../../shared/instant.ts';
import type { Job } from '../../../shared/job/job.ts';
import type { Incident } from '../../../shared/store/incidents.ts';
import type { Letter } from '../../../shared/store/outbox.ts';
import type { Store } from '../../../shared/store/store.ts';
import { World } from '../pipeline/parts.ts';

export interface Arrived {
  channel: string;
  to: readonly string[];
  message: Message;
  at: Instant;
}

/** Channels that keep what they accept, and fail as a test wants. */
export class Mailbox {
  readonly arrived: Arrived[] = [];
  /** What a channel does with the next message; undefined: takes it. */
  fails: (channel: string) => ChannelError | undefined = () => undefined;
  readonly alerts: Alerts;
  private readonly clock: () => Instant;

  constructor(clock: () => Instant, settings: Partial<AlertSettings> = {}) {
    this.clock = clock;
    const names = ['ops', 'mail', 'sales'];
    const channels = Object.fromEntries(names.map((name) => [name, { type: 'webhook', address: { secret: name } }]));
    const base = alertSettings.parse({ channels, default: ['ops'], fallback: ['mail', 'ops'] });
    this.alerts = {
      settings: { ...base, ...settings },
      channels: new Map(names.map((name) => [name, this.channel(name)])),
    };
  }

  private channel(name: string): Channel {
    return {
      name,
      place: async () => name,
      send: async (message, to) => {
        const error = this.fails(name);
        if (error) throw error;
        this.arrived.push({ channel: name, to, message, at: this.clock() });
      },
      preview: () => ({ parts: [] }),
    };
  }

  titles(): string[] {
    return this.arrived.map(({ message }) => message.title);
  }

  take(): Arrived[] {
    return this.arrived.splice(0);
  }
}

export const passing = (retryAfterMs: number | null = null) => new ChannelError('answers 503', false, retryAfterMs);
export const permanent = () => new ChannelError('answers 404', true);

export async function allIncidents(store: Store, jobs: readonly (string | null)[]): Promise<Incident[]> {
  const found: Incident[] = [];
  for await (const { value } of store.incidents.open()) found.push(value);
  for (const job of jobs) for await (const value of store.incidents.past(job)) found.push(value);
  return found;
}

export async function allLetters(store: Store): Promise<Letter[]> {
  const found: Letter[] = [];
  for await (const { value } of store.outbox.waiting()) found.push(value);
  for await (const value of store.outbox.done()) found.push(value);
  return found;
}

/** A service of these jobs in memory, and all that its alerts send. */
export async function withMailbox(...jobs: Job[]): Promise<{ world: World; box: Mailbox }> {
  const world = await World.inMemory(...jobs);
  const box = new Mailbox(() => world.now);
  Object.assign(world.parts, { alerts: box.alerts });
  return { world, box };
}
