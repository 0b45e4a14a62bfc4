import { alert } from './alerts/tick.ts';
import { type Instant, minute } from './instant.ts';
import type { Parts } from './parts.ts';
import { checkTime, WrongClock } from './pipeline/clock.ts';
import { incidentPicture } from './pipeline/finding-picture.ts';
import { finish } from './pipeline/finish.ts';
import { freePlaces, freePlacesAgain } from './pipeline/holders.ts';
import { launch } from './pipeline/launch.ts';
import { othersWait } from './pipeline/places-seen.ts';
import { claimDue, type TickReport } from './pipeline/tick.ts';
import { watch } from './pipeline/watch.ts';
import { parseRunId } from './run/run.ts';
import type { AttemptId } from './store/attempts.ts';
import { readLaunch } from './store/launches.ts';

/**
 * The whole story. Four steps, called by a loop on one machine and by Azure Functions in the cloud; each may be called
 * twice, late, or on two hosts at once, and the outcome is the same.
 *
 *   claim   schedule ─▶ slots that are due ─▶ claimed by inserting their run ─▶ queued for their instant
 *   launch  overlap? secrets? ─▶ executor.start(attempt) ─▶ the shim takes it, runs it, leaves a result
 *   finish  result ─▶ succeeded, failed, … ─▶ retried, or final ─▶ follow-up: reported, counted, those that wait woken
 *   watch   every active run whose time to be looked at has come ─▶ repaired, whatever died
 *   alert   incidents that follow-up and watch opened ─▶ messages in the outbox ─▶ channels; the last part of a tick
 */
export interface Pipeline {
  /** Once a minute, or more often: claims, watches, alerts. When one of them fails the others are done all the same. */
  tick(now: Instant): Promise<void>;
  /** A tick but for claiming, which hosts also call on a timer of its own. @throws WrongClock */
  watch(now: Instant): Promise<void>;
  /** For each message of the launch queue. @returns false when the text is no such message. */
  launch(text: string, now: Instant): Promise<boolean>;
  /** The instant that a message of the launch queue is for: it may be handed out up to a second before. */
  slotOf(text: string): Instant | undefined;
  /** When an attempt is said to have ended. */
  finish(attempt: AttemptId, now: Instant): Promise<void>;
  /**
   * Every few seconds, where a timer costs nothing; a tick and a watch do it as well. When attempts stand in line, and
   * the ends of all that have places got lost, no one else would notice.
   */
  freePlaces(now: Instant): Promise<void>;
}

export function pipeline(parts: Parts): Pipeline {
  let counted: { setAside: number; at: Instant } | undefined;
  /** Once a minute, however often a host ticks. What was claimed is reported whether or not the queue answers. */
  async function launchesSetAside(now: Instant): Promise<number> {
    if (counted && Math.abs(now - counted.at) < minute) return counted.setAside;
    try {
      counted = { setAside: await parts.store.launches.poisonCount(), at: now };
      return counted.setAside;
    } catch (error) {
      parts.emit({ type: 'trouble', doing: 'counting the launches that were set aside', error });
      return 0;
    }
  }

  async function claim(now: Instant): Promise<TickReport> {
    const began = performance.now();
    const counting = launchesSetAside(now);
    const report = await claimDue(parts, now);
    const tookMs = Math.round(performance.now() - began);
    const setAside = await counting;
    const { behindMs } = report;
    parts.emit({ type: 'ticked', host: parts.person, jobs: parts.catalog().size, behindMs, tookMs, setAside });
    return report;
  }

  /** @param read when `now` was read, on the monotonic clock */
  async function watchAndAlert(report: TickReport | undefined, now: Instant, read = performance.now()): Promise<void> {
    if (!report) await checkTime(parts, now, read);
    const watched = await settled(watch(parts, now));
    await freePlacesAgain(parts, now);
    await alert(parts, report ?? { behindMs: 0, sinceLastMs: 0, affected: [] }, now, incidentPicture);
    if ('error' in watched) throw watched.error;
  }

  return {
    async tick(now) {
      const read = performance.now();
      const claimed = await settled(claim(now));
      const [report, error] = 'error' in claimed ? [undefined, claimed.error] : [claimed.value, undefined];
      // What would be decided by a wrong clock is wrong as well.
      if (!(error instanceof WrongClock)) await watchAndAlert(report, now, read);
      if (error !== undefined) throw error;
    },
    watch: (now) => watchAndAlert(undefined, now),
    async launch(text, now) {
      const message = readLaunch(text);
      if (message) await launch(parts, message, now);
      else parts.emit({ type: 'launch-unreadable', text });
      return message !== undefined;
    },
    slotOf: (text) => parseRunId(readLaunch(text)?.run ?? '')?.slot,
    async finish(attempt, now) {
      await finish(parts, attempt, now);
      if (othersWait(parts)) await freePlaces(parts, now);
    },
    freePlaces: (now) => freePlacesAgain(parts, now),
  };
}

type Settled<T> = { value: T } | { error: unknown };

function settled<T>(doing: Promise<T>): Promise<Settled<T>> {
  return doing.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}
