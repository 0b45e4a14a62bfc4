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
  /** Visible from `at` on, or up to a second before: Azure's queue counts in whole seconds, 7 days at most. */
  put(message: LaunchMessage, at: Instant, now: Instant): Promise<void>;
  /** Up to 32, hidden from others for `hiddenSeconds`. */
  take(count: number, hiddenSeconds: number): Promise<Received[]>;
  /** Since when the oldest message that could be taken has not been; undefined: none waits. Approximate. */
  waitingSince(now: Instant): Promise<Instant | undefined>;
  putPoison(text: string): Promise<void>;
  /** About how many messages were set aside. */
  poisonCount(): Promise<number>;
}

/**
 * The same, whose delays count from the moment of the writing: a tick that claims thousands writes long after the instant
 * that it was called with, and what it queues must not be that much late.
 */
export function countedFrom(clock: () => Instant, launches: Launches): Launches {
  return { ...launches, put: (message, at, now) => launches.put(message, at, Math.max(now, clock())) };
}

/** Undefined when the text is not a launch message. */
export function readLaunch(text: string): LaunchMessage | undefined {
  try {
    return launchMessage.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
