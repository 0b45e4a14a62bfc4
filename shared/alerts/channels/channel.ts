import type { Message } from '../message.ts';

/** What carries messages to people: one file per kind in this folder, all behind this interface. */
export interface Channel {
  readonly name: string;
  /** For people: what kind it is and where it goes, without what must stay secret. @throws ChannelError */
  place(): Promise<string>;
  /**
   * Resolves once the other side has taken the message over. It may come twice when an answer is lost: both carry the
   * message's key.
   * @param to addresses, of channels that send to addresses; empty: those of its settings
   * @throws ChannelError
   */
  send(message: Message, to: readonly string[]): Promise<void>;
  /** What would be sent. */
  preview(message: Message, to: readonly string[]): Preview;
}

export interface Preview {
  /** `application/json`, `text/plain`, `text/html`. */
  parts: { type: string; text: string }[];
}

/** A message was not accepted. Never holds the secret part of an address. */
export class ChannelError extends Error {
  /** True: sending the same again cannot help. */
  readonly permanent: boolean;
  /** How long the other side wants to be left alone, ms; null: it did not say. */
  readonly retryAfterMs: number | null;

  constructor(message: string, permanent: boolean, retryAfterMs: number | null = null, cause?: unknown) {
    super(message, { cause });
    this.name = 'ChannelError';
    this.permanent = permanent;
    this.retryAfterMs = retryAfterMs;
  }
}
