import { line } from '../clean.ts';
import type { Message } from '../message.ts';
import { type Channel, ChannelError } from './channel.ts';
import { admit, type Guard, shown } from './guard.ts';
import { post } from './post.ts';

export interface HookOptions {
  name: string;
  /** Its address, from the vault: read for each message, so that a new one works at once. */
  address: () => Promise<string>;
  guard: Guard;
  /** One message takes no longer, ms. */
  limitMs: number;
}

/** A channel that takes a JSON text at a secret address. */
export function hook(
  kind: string,
  { name, address, guard, limitMs }: HookOptions,
  render: (message: Message) => string,
  headers: (message: Message, body: string) => Promise<Record<string, string>> = async () => ({}),
): Channel {
  return {
    name,
    place: async () => `${kind} at ${shown(await read(address))}`,
    async send(message) {
      const { url, mayBePrivate } = admit(await read(address), guard);
      const body = render(message);
      const more = { 'x-lamplighter-key': message.key, ...(await headers(message, body)) };
      await post({ url, mayBePrivate, body, headers: more, limitMs });
    },
    preview: (message) => ({ parts: [{ type: 'application/json', text: render(message) }] }),
  };
}

/** A vault that is unavailable is waited for; a secret that is missing is a matter for people. @throws ChannelError */
export async function read(secret: () => Promise<string>): Promise<string> {
  try {
    return await secret();
  } catch (error) {
    const passing = (error as { passing?: unknown }).passing !== false;
    throw new ChannelError(`its secret ${line((error as Error).message, 200)}`, !passing, null, error);
  }
}
