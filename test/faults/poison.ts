import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Instant, minute } from '../../shared/instant.ts';
import { type Expectation, everyMinute } from './expectation.ts';
import type { FaultJob } from './jobs.ts';
import { type World, wait } from './world.ts';

/** Its folder changes all the time; its rows cannot be written; its stored schedule does not parse any more. */
const folder: FaultJob = { name: 'poison-folder', overlap: 'queue' };
const row: FaultJob = { name: 'poison-row', overlap: 'queue' };
const schedule: FaultJob = { name: 'poison-schedule', overlap: 'queue' };

export const poisonedJobs = [folder, row, schedule];

/** When each was poisoned; what a schedule that cannot be read would have called for, no one knows. */
export interface Poison {
  from?: Instant;
  to?: Instant;
}

/** Poisons the three in the course of a run, and makes them well again before its end. */
export async function poison(world: World, homes: readonly string[], lengthMs: number, when: Poison): Promise<void> {
  await wait(world, lengthMs * 0.15);
  if (world.over) return;
  when.from = Date.now();
  world.poisoned.add(row.name);
  await breakSchedule(world);
  const until = Date.now() + lengthMs * 0.55;
  for (let number = 0; Date.now() < until && !world.over; number++) {
    // Hosts that start now read one state of it and pack another.
    for (const home of homes) await writeFile(join(home, 'jobs', folder.name, 'state.txt'), `${number}\n`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  world.poisoned.delete(row.name);
  // Hosts that have read a state that is gone pack none: they read it anew.
  for (const name of world.hosts.names) await world.hosts.crash(name, 200);
  when.to = Date.now();
}

/** As an older version, or another time zone database, would find it. */
async function breakSchedule({ store }: World): Promise<void> {
  const broken = { cron: '61 25 * * *', timeZone: 'Europe/Atlantis' };
  await store.jobs.amend(schedule.name, (row) => ({
    ...row,
    schedules: row.schedules.map((text) => ({ ...text, ...broken })),
  }));
}

/** Before it was poisoned, ticks may have been behind; afterwards a host has to start and register it. */
const unclear = 10 * minute;

export function poisonExpectations({ from = 0, to = 0 }: Poison): Map<string, Expectation> {
  const known = (slot: Instant) => slot < from - unclear || slot > to + unclear;
  return new Map([
    [folder.name, everyMinute],
    [row.name, everyMinute],
    [schedule.name, { required: known, allowed: () => true }],
  ]);
}
