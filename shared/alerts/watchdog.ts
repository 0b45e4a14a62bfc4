import { day, type Instant, iso } from '../instant.ts';
import { spanText } from './clocks.ts';
import type { Message } from './message.ts';

/** What the watchdog remembers between two looks. */
export interface WatchdogState {
  /** The newest tick that was ever seen; null: none yet. */
  lastTick: Instant | null;
  /** When it began to look; before that it knows nothing. */
  since: Instant;
  /** When it last reported that ticks are missing; null: they are not. */
  reportedAt: Instant | null;
}

export type Bark = 'down' | 'still down' | 'back' | null;

/** While ticks stay away it says so again after this time. */
const again = day;

/**
 * Whether to raise the alarm.
 * @param seen the newest tick; undefined: the store could not be asked, and what was seen before counts
 * @param afterMs longest time without a tick that is normal
 */
export function watchdog(
  state: WatchdogState,
  seen: Instant | undefined,
  afterMs: number,
  now: Instant,
): { state: WatchdogState; bark: Bark; silentMs: number } {
  const lastTick = Math.max(state.lastTick ?? 0, seen ?? 0) || null;
  const silentMs = now - Math.max(lastTick ?? 0, lastTick === null ? state.since : 0);
  const next = { ...state, lastTick };
  if (silentMs <= afterMs) {
    return { state: { ...next, reportedAt: null }, bark: state.reportedAt === null ? null : 'back', silentMs };
  }
  const due = state.reportedAt === null || now >= state.reportedAt + again;
  const bark = !due ? null : state.reportedAt === null ? 'down' : 'still down';
  return { state: due ? { ...next, reportedAt: now } : next, bark, silentMs };
}

/** @param trouble why the store could not be asked; null: it could */
export function watchdogMessage(
  bark: Exclude<Bark, null>,
  { lastTick }: WatchdogState,
  silentMs: number,
  place: string,
  trouble: string | null,
  now: Instant,
): Message {
  const last = lastTick === null ? 'No tick was ever seen' : `The last tick was seen at ${iso(lastTick)}`;
  const down = `No job starts: the scheduler has not worked for ${spanText(silentMs)}. ${last}.`;
  const sentence = bark === 'back' ? `The scheduler works again. ${last}.` : down;
  const firstStep = '\n\nFirst step: start Lamplighter there, and read the end of its log.';
  return {
    key: `watchdog.${lastTick ?? 0}.${bark}.${now}`,
    thread: 'watchdog',
    kind: bark === 'back' ? 'resolved' : bark === 'down' ? 'opened' : 'reminder',
    severity: bark === 'back' ? 'good' : 'critical',
    title: bark === 'back' ? 'RECOVERED scheduler' : bark === 'down' ? 'SCHEDULER IS DOWN' : 'SCHEDULER IS STILL DOWN',
    sections: [
      { kind: 'text', text: bark === 'back' ? sentence : sentence + firstStep },
      {
        kind: 'facts',
        facts: [{ name: 'Where', value: place }, ...(trouble === null ? [] : [{ name: 'Store', value: trouble }])],
      },
    ],
    links: [],
    at: now,
  };
}
