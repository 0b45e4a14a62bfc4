import type { Instant } from '../../../shared/instant.ts';
import { type Launches, type LaunchMessage, type Received, readLaunch } from '../../../shared/store/launches.ts';

interface Message {
  text: string;
  visibleAt: Instant;
  count: number;
  /** Changes each time the message is handed out: only the last one who got it can remove it. */
  receipt: number;
}

/** The launch queue by the clock of a test: messages are hidden, seen, and seen again if no one has removed them. */
export class SteppedQueue implements Launches {
  readonly messages = new Set<Message>();
  readonly poison: string[] = [];
  private readonly clock: () => Instant;

  constructor(clock: () => Instant) {
    this.clock = clock;
  }

  async put(message: LaunchMessage, at: Instant, now: Instant): Promise<void> {
    this.add(JSON.stringify({ ...message, at: Math.max(at, now) }), this.clock() + Math.max(at - now, 0));
  }

  add(text: string, visibleAt: Instant = this.clock()): void {
    this.messages.add({ text, visibleAt, count: 0, receipt: 0 });
  }

  poisonCount = async () => this.poison.length;

  async take(count: number, hiddenSeconds: number): Promise<Received[]> {
    const now = this.clock();
    const due = [...this.messages].filter(({ visibleAt }) => visibleAt <= now).slice(0, count);
    return due.map((message) => {
      message.visibleAt = now + hiddenSeconds * 1_000;
      message.count += 1;
      const receipt = ++message.receipt;
      const done = async () => {
        if (message.receipt === receipt) this.messages.delete(message);
      };
      return { message: readLaunch(message.text), text: message.text, count: message.count, done };
    });
  }

  async waitingSince(now: Instant): Promise<Instant | undefined> {
    const visible = [...this.messages].filter(({ visibleAt }) => visibleAt <= now);
    // As the real ones: since when by the message, as clocks differ.
    const since = visible.map(({ text, visibleAt }) => readLaunch(text)?.at ?? visibleAt);
    return since.length === 0 ? undefined : Math.min(...since);
  }

  async putPoison(text: string): Promise<void> {
    this.poison.push(text);
  }

  /** When the next message becomes visible. */
  next(): Instant | undefined {
    const times = [...this.messages].map(({ visibleAt }) => visibleAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
