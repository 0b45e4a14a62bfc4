import type { QueueClient } from '@azure/storage-queue';
import { type Launches, readLaunch } from '../launches.ts';

const longestDelay = 7 * 24 * 3600;

export function azureLaunches(queue: QueueClient, poison: QueueClient): Launches {
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

async function remove(queue: QueueClient, id: string, receipt: string): Promise<void> {
  try {
    await queue.deleteMessage(id, receipt);
  } catch (error) {
    // Handed out again meanwhile, or gone: the one that holds it now will remove it.
    const status = (error as { statusCode?: number }).statusCode;
    if (status !== 404 && status !== 400) throw error;
  }
}
