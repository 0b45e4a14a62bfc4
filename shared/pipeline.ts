import { alert } from './alerts/tick.ts';
import type { Instant } from './instant.ts';
import type { Parts } from './parts.ts';
import * as finishing from './pipeline/finish.ts';
import * as launching from './pipeline/launch.ts';
import * as ticking from './pipeline/tick.ts';
import * as watching from './pipeline/watch.ts';
import { parseRunId } from './run/run.ts';
import type { AttemptId } from './store/attempts.ts';
import { readLaunch } from './store/launches.ts';

/**
 * The whole story. Four entry points, called by a loop on one machine and by Azure Functions in the cloud; each may be
 * called twice, late, or on two hosts at once, and the outcome is the same.
 *
 *   tick    schedule ─▶ slots that are due ─▶ claimed by inserting their run ─▶ queued for their instant
 *   launch  overlap? secrets? ─▶ executor.start(attempt) ─▶ the shim takes it, runs it, leaves a result
 *   finish  result ─▶ succeeded, failed, … ─▶ retried, or final ─▶ follow-up: reported, counted, those that wait woken
 *   watch   every active run whose time to be looked at has come ─▶ repaired, whatever died
 *   alert   incidents that follow-up and watch opened ─▶ messages in the outbox ─▶ channels; the last part of a tick
 */
export interface Pipeline {
  /** Once a minute, or more often: claims what is due until a minute from now, then watches. */
  tick(now: Instant): Promise<void>;
  /** For each message of the launch queue. @returns false when the text is no such message. */
  launch(text: string, now: Instant): Promise<boolean>;
  /** The instant that a message of the launch queue is for: it may be handed out up to a second before. */
  slotOf(text: string): Instant | undefined;
  /** When somebody says that an attempt has ended. */
  finish(attempt: AttemptId, now: Instant): Promise<void>;
}

export function pipeline(parts: Parts): Pipeline {
  return {
    async tick(now) {
      const began = performance.now();
      const report = await ticking.tick(parts, now);
      await watching.watch(parts, now);
      await alert(parts, report, now);
      const setAside = await parts.store.launches.poisonCount();
      const tookMs = Math.round(performance.now() - began);
      parts.emit({
        type: 'ticked',
        host: parts.person,
        jobs: parts.catalog().size,
        behindMs: report.behindMs,
        tookMs,
        setAside,
      });
    },
    async launch(text, now) {
      const message = readLaunch(text);
      if (message) await launching.launch(parts, message, now);
      else parts.emit({ type: 'launch-unreadable', text });
      return message !== undefined;
    },
    slotOf: (text) => parseRunId(readLaunch(text)?.run ?? '')?.slot,
    finish: (attempt, now) => finishing.finish(parts, attempt, now),
  };
}
