import { confirmClock } from '../../shared/actions/clock.ts';
import { type Instant, iso } from '../../shared/instant.ts';
import { checkClock } from '../../shared/pipeline/clock.ts';
import type { Home } from '../home.ts';
import { openParts } from '../host/session.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { type ActOptions, person } from './act.ts';

export interface ClockOptions extends ActOptions {
  confirm?: boolean;
}

/** `lamp clock`: which clocks the service goes by, and whether they agree; with --confirm this machine's counts. */
export async function clock(home: Home, options: ClockOptions): Promise<void> {
  const parts = await openParts(home);
  const now = Date.now();
  if (options.confirm) {
    if (options.why === '') throw new Refusal('A clock is confirmed with a reason. Add --why <text>.');
    await confirmClock(parts, person(home, options), now);
  }
  const progress = await parts.store.marks.progress();
  const store = await parts.store.time();
  const wrong = await checkClock(parts, now, progress).then(
    () => null,
    (error: Error) => error.message,
  );
  const times = {
    here: now,
    store,
    lastTick: progress.heartbeat ?? null,
    claimedUntil: progress.cursor?.value.at ?? null,
  };
  const behind = Object.fromEntries([...progress.behind].map(([job, at]) => [job, iso(at)]));
  if (options.json) printJson({ ...texts(times), wrong, behind });
  else print(times, wrong, progress.behind);
  if (wrong !== null) process.exitCode = 1;
}

function texts(times: Record<string, Instant | null>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(times).map(([name, at]) => [name, at === null ? null : iso(at)]));
}

function print(
  times: Record<string, Instant | null>,
  wrong: string | null,
  behind: ReadonlyMap<string, Instant>,
): void {
  const labels = {
    here: 'this machine',
    store: 'the store',
    lastTick: 'last tick',
    claimedUntil: 'slots claimed until',
  };
  for (const [name, label] of Object.entries(labels)) {
    const at = times[name] ?? null;
    console.log(`${label.padEnd(20)} ${at === null ? 'never' : iso(at)}`);
  }
  for (const [job, at] of behind) console.log(`${job} could not be claimed, and is so until ${iso(at)} only`);
  console.log(wrong ?? 'The clocks agree.');
}
