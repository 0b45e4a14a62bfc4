import { type Instant, minute, second } from '../instant.ts';
import type { Parts } from '../parts.ts';
import type { Run } from '../run/run.ts';
import type { LaunchMessage } from '../store/launches.ts';
import { messageOf } from './line.ts';

/** What cannot start on this host comes again after this time, ms. */
const laterMs = 15 * second;
/** Until this much after it was due, ms; then the watch looks, ever more seldom: messages that no host can take must not pile up. */
const passedOnFor = 10 * minute;

/** For a launch that this host cannot do: another one may, or this one a little later. It is to leave the line besides. */
export async function passOn(parts: Parts, message: LaunchMessage, run: Run, now: Instant): Promise<void> {
  const due = run.nextAttemptAt ?? Math.max(run.slot, run.createdAt);
  // Its turn has come: once more, without its mark.
  if (message.inLine || now < due + passedOnFor) await parts.store.launches.put(messageOf(message), now + laterMs, now);
}
