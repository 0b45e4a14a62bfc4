import { createHmac } from 'node:crypto';
import type { Message } from '../message.ts';
import type { Channel } from './channel.ts';
import { type HookOptions, hook, read } from './hook.ts';

export interface WebhookOptions extends HookOptions {
  /** Key of the signature, from the vault; undefined: messages are not signed. */
  signWith: (() => Promise<string>) | undefined;
  now: () => number;
}

/** Any program: the message as JSON, signed so that the receiver knows who sent it, and when. */
export function webhook({ signWith, now, ...options }: WebhookOptions): Channel {
  return hook(
    'webhook',
    options,
    (message) => JSON.stringify(webhookPayload(message)),
    async (_message, body) => {
      if (!signWith) return {};
      const seconds = Math.floor(now() / 1_000);
      return { 'x-lamplighter-signature': `t=${seconds},v1=${signature(await read(signWith), seconds, body)}` };
    },
  );
}

/** HMAC-SHA256 of `<seconds>.<body>`, hex. */
export function signature(key: string, seconds: number, body: string): string {
  return createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex');
}

export function webhookPayload({ at, picture: _picture, image: _image, ...message }: Message): Record<string, unknown> {
  return { version: 1, ...message, at: new Date(at).toISOString() };
}
