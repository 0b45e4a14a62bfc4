import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { minute } from '../shared/instant.ts';
import type { Parts } from '../shared/parts.ts';
import { isFinal, type Run, runName } from '../shared/run.ts';
import { Refusal } from './session.ts';

/** Without a tick for so long nobody will start anything. */
const deadAfter = 3 * minute;

/** Waits until a run is over. @throws Refusal when no host is there to run it */
export async function waitFor(parts: Parts, run: Run, chatty: boolean): Promise<Run> {
  const ticked = await parts.store.marks.get('heartbeat');
  if (ticked === undefined || Date.now() - ticked > deadAfter) {
    throw new Refusal(`${runName(run)} is queued, but no host has ticked this store lately. Start one with: npm start`);
  }
  let said = '';
  for (;;) {
    const found = await parts.store.runs.get(run.job, run.id);
    if (!found) throw new Refusal(`${runName(run)} is gone`);
    if (isFinal(found.value.state)) return found.value;
    if (chatty && found.value.state !== said) console.error(`${runName(run)} ${found.value.state}`);
    said = found.value.state;
    await sleep(200);
  }
}

/** The job's own exit code; 128 + n for a signal, 124 when timed out, 130 when cancelled, as shells have it; else 1. */
export function exitCodeOf(run: Run): number {
  if (run.state === 'succeeded') return 0;
  if (run.state === 'timed-out') return 124;
  if (run.state === 'cancelled') return 130;
  const last = run.attempts.at(-1);
  if (last?.exitCode) return last.exitCode;
  const signal = last?.signal && constants.signals[last.signal as NodeJS.Signals];
  return signal ? 128 + signal : 1;
}
