import { constants } from 'node:os';
import { z } from 'zod';
import type { RunJson } from '../shared/api/json.ts';
import { minute } from '../shared/instant.ts';
import { isFinal } from '../shared/run/run.ts';
import type { Client } from './client.ts';
import { runPath } from './find.ts';
import type { Here } from './here.ts';
import { Refusal } from './refusal.ts';
import { runShape } from './shapes.ts';

/** Without a tick for this long no one will start anything: ticks are a minute apart in Azure. */
export const deadAfter = 3 * minute;
/** Between two looks, ms: the store is near, an app is not. */
export const lookEvery = ({ remote }: Client) => (remote ? 1_000 : 200);

const health = z.looseObject({ lastTick: z.string().nullable() });

/** Whether a host would start a run that is queued now. */
export async function isHosted(here: Here, client: Client): Promise<boolean> {
  if (!client.remote && process.env.LAMPLIGHTER_STORAGE === undefined) {
    const { anyHost } = await import('./host/lock.ts');
    return anyHost(here.home.state);
  }
  const { lastTick } = await client.get('/health', health);
  return lastTick !== null && here.now() - Date.parse(lastTick) < deadAfter;
}

export function noHost({ remote, place }: Client): string {
  if (remote) return `${place} has not ticked for ${deadAfter / minute} minutes. Look for the cause with: lamp verify`;
  return 'no host works on this store. Start one with: npm start';
}

/** @throws Refusal when no one would ever start what is about to be queued */
export async function demandHost(here: Here, client: Client): Promise<void> {
  if (!(await isHosted(here, client))) {
    throw new Refusal(`Waiting makes no sense, nothing was queued: ${noHost(client)}`);
  }
}

/**
 * Waits until runs are over. @param seen called with each run whenever its state is another
 * @throws Refusal when no host is there any more to end them
 */
export async function waitFor(
  here: Here,
  client: Client,
  runs: readonly string[],
  seen: (run: RunJson) => void,
): Promise<RunJson[]> {
  const ended: RunJson[] = [];
  const leave = () => {
    const left = runs.length - ended.length;
    const what = runs.length === 1 && runs[0] ? runs[0] : `${left} runs`;
    console.error(
      `\nNot waiting any more: ${what} ${left === 1 ? 'goes' : 'go'} on without you (lamp cancel ends a run).`,
    );
    process.exit(130);
  };
  process.once('SIGINT', leave);
  try {
    for (const run of runs) ended.push(await waitForOne(here, client, run, seen));
    return ended;
  } finally {
    process.off('SIGINT', leave);
  }
}

async function waitForOne(here: Here, client: Client, name: string, seen: (run: RunJson) => void): Promise<RunJson> {
  let last = '';
  for (let round = 1; ; round++) {
    const run = await client.get(runPath(name), runShape);
    const { state } = run;
    if (state !== last) seen(run);
    last = state;
    if (isFinal(state)) return run;
    if (round % 25 === 0 && !(await isHosted(here, client))) {
      throw new Refusal(`${name} is ${state}, and ${noHost(client)}. It goes on there.`);
    }
    await here.sleep(lookEvery(client));
  }
}

/** The job's own exit code; 128 + n for a signal, 124 when timed out, 130 when cancelled, as shells have it; else 1. */
export function exitCodeOf(
  run: Pick<RunJson, 'state'> & { attempts: Pick<RunJson['attempts'][0], 'exitCode' | 'signal'>[] },
): number {
  if (run.state === 'succeeded') return 0;
  if (run.state === 'timed-out') return 124;
  if (run.state === 'cancelled') return 130;
  const last = run.attempts.at(-1);
  if (last?.exitCode) return last.exitCode;
  const signal = last?.signal && numberOf(last.signal);
  return signal ? 128 + signal : 1;
}

/** By the names that the shim gives. Real-time signals are counted from `SIGRTMIN`, 34 with glibc, to `SIGRTMAX`, 64 (signal(7)). */
function numberOf(signal: string): number | undefined {
  const [, name, number] = /^(SIGRTMIN\+|signal )(\d+)$/.exec(signal) ?? [];
  if (name) return Number(number) + (name === 'signal ' ? 0 : 34);
  return { SIGRTMIN: 34, SIGRTMAX: 64 }[signal] ?? constants.signals[signal as NodeJS.Signals];
}
