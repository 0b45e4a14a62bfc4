import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { minute } from '../shared/instant.ts';
import { isFinal, type Run, runName } from '../shared/run/run.ts';
import { anyHost } from './host/lock.ts';
import type { Session } from './host/session.ts';
import { Refusal } from './refusal.ts';

/** Without a tick for this long no one will start anything: ticks are a minute apart in Azure. */
const deadAfter = 3 * minute;

/** Whether a person would start a run that is queued now. */
export async function isHosted({ home, store }: Session): Promise<boolean> {
  if (process.env.LAMPLIGHTER_STORAGE === undefined) return anyHost(home.state);
  const ticked = await store.marks.get('heartbeat');
  return ticked !== undefined && Date.now() - ticked < deadAfter;
}

export const noHost = 'no host works on this store. Start one with: npm start';

/** @throws Refusal when no one would ever start what is about to be queued */
export async function demandHost(session: Session): Promise<void> {
  if (!(await isHosted(session))) throw new Refusal(`Waiting makes no sense, nothing was queued: ${noHost}`);
}

/**
 * Waits until runs are over. @param seen called with each run whenever its state is another
 * @throws Refusal when no host is there any more to end them
 */
export async function waitFor(session: Session, runs: Run[], seen: (run: Run) => void): Promise<Run[]> {
  const ended: Run[] = [];
  const leave = () => {
    const left = runs.length - ended.length;
    const what = runs.length === 1 && runs[0] ? runName(runs[0]) : `${left} runs`;
    console.error(
      `\nNot waiting any more: ${what} ${left === 1 ? 'goes' : 'go'} on without you (lamp cancel ends a run).`,
    );
    process.exit(130);
  };
  process.once('SIGINT', leave);
  try {
    for (const run of runs) ended.push(await waitForOne(session, run, seen));
    return ended;
  } finally {
    process.off('SIGINT', leave);
  }
}

async function waitForOne(session: Session, run: Run, seen: (run: Run) => void): Promise<Run> {
  let last = '';
  for (let round = 1; ; round++) {
    const found = await session.store.runs.get(run.job, run.id);
    if (!found) throw new Refusal(`${runName(run)} is gone from the store`);
    const { state } = found.value;
    if (state !== last) seen(found.value);
    last = state;
    if (isFinal(state)) return found.value;
    if (round % 25 === 0 && !(await isHosted(session))) {
      throw new Refusal(`${runName(run)} is ${state}, and ${noHost}. It goes on there.`);
    }
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
  const signal = last?.signal && numberOf(last.signal);
  return signal ? 128 + signal : 1;
}

/** Real-time signals have no name of their own: `SIGRTMIN+6` is 40, as SIGRTMIN is 34 with glibc (signal(7)). */
function numberOf(signal: string): number | undefined {
  const above = /^SIGRTMIN\+(\d+)$/.exec(signal)?.[1];
  return above === undefined ? constants.signals[signal as NodeJS.Signals] : 34 + Number(above);
}
