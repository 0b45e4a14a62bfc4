import type { QueueClient } from '@azure/storage-queue';
import { z } from 'zod';
import type { Instant } from '../instant.ts';

/** Says: look whether this attempt should start now. Acting on it twice, late or out of order is harmless. */
export const launchMessage = z.object({
  job: z.string(),
  run: z.string(),
  attempt: z.int().positive(),
  /** It stands in line for a place, and this is its turn. */
  inLine: z.boolean().optional(),
  /** When it becomes visible: set by `put`. Left out by hosts of an earlier version. */
  at: z.int().optional(),
});
export type LaunchMessage = z.infer<typeof launchMessage>;

export interface Received {
  /** Undefined: the text was not one of ours; it goes to the poison queue. */
  message: LaunchMessage | undefined;
  text: string;
  /** How often it was handed out, this time included. */
  count: number;
  done(): Promise<void>;
}

export interface Launches {
  /** Visible from `at` on, or up to a second before: the queue service counts in whole seconds, 7 days at most. */
  put(message: LaunchMessage, at: Instant, now: Instant): Promise<void>;
  /** Up to 32, hidden from others for `hiddenSeconds`. */
  take(count: number, hiddenSeconds: number): Promise<Received[]>;
  /** Since when the oldest message that could be taken has not been; undefined: none waits. Approximate. */
  waitingSince(now: Instant): Promise<Instant | undefined>;
  putPoison(text: string): Promise<void>;
  /** About how many messages were set aside. */
  poisonCount(): Promise<number>;
}

const longestDelay = 7 * 24 * 3600;

export function launches(queue: QueueClient, poison: QueueClient): Launches {
  // Azure Functions reads queue texts as base64 unless a setting says otherwise, so that is what we write.
  const encode = (text: string) => Buffer.from(text).toString('base64');
  return {
    async put(message, at, now) {
      const seconds = Math.min(Math.max(Math.floor((at - now) / 1_000), 0), longestDelay - 1);
      await queue.sendMessage(encode(JSON.stringify({ ...message, at: Math.max(at, now) })), {
        visibilityTimeout: seconds,
      });
    },
    async take(count, hiddenSeconds) {
      const { receivedMessageItems } = await queue.receiveMessages({
        numberOfMessages: Math.min(count, 32),
        visibilityTimeout: hiddenSeconds,
      });
      return receivedMessageItems.map((item) => {
        const text = Buffer.from(item.messageText, 'base64').toString();
        return {
          message: readLaunch(text),
          text,
          count: item.dequeueCount,
          done: () => remove(queue, item.messageId, item.popReceipt),
        };
      });
    },
    async waitingSince(now) {
      const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 32 });
      const since = peekedMessageItems.map(({ messageText, insertedOn }) => {
        return readLaunch(Buffer.from(messageText, 'base64').toString())?.at ?? insertedOn.getTime();
      });
      const oldest = Math.min(...since);
      return oldest <= now ? oldest : undefined;
    },
    async putPoison(text) {
      await poison.sendMessage(encode(text));
    },
    poisonCount: async () => (await poison.getProperties()).approximateMessagesCount ?? 0,
  };
}

/** Undefined when the text is not a launch message. */
export function readLaunch(text: string): LaunchMessage | undefined {
  try {
    return launchMessage.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function remove(queue: QueueClient, id: string, receipt: string): Promise<void> {
  try {
    await queue.deleteMessage(id, receipt);
  } catch (error) {
    // Handed out again meanwhile, or gone: the one that holds it now will remove it.
    const status = (error as { statusCode?: number }).statusCode;
    if (status !== 404 && status !== 400) throw error;
  }
}
