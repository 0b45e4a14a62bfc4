import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Instant, minute, second } from '../../shared/instant.ts';
import { type Expectation, everyMinute } from './expectation.ts';
import { type FaultJob, type Way, writeJobs } from './jobs.ts';
import { between } from './random.ts';
import { type World, wait } from './world.ts';

/** Two packages: jobs of other code, of another schedule, and jobs that only one of them has. */
export interface Packages {
  old: string;
  new: string;
  made: { old: Instant; new: Instant };
  /** When the first host got the new package, and when all had it; undefined: not yet. */
  began?: Instant;
  ended?: Instant;
}

const code: FaultJob = { name: 'roll-code', overlap: 'queue', edition: 'of the old package' };
const schedule: FaultJob = { name: 'roll-schedule', overlap: 'allow' };
const newCron = '*/2 * * * *';
/** Takes longer than the minute that it is due in: its runs wait for one another. */
const gone: FaultJob = { name: 'roll-gone', overlap: 'queue', takes: [75] };
const come: FaultJob = { name: 'roll-come', overlap: 'queue' };

export const rolled = [code.name, schedule.name, gone.name, come.name];

export async function makePackages(
  folder: string,
  jobs: readonly FaultJob[],
  rolling: boolean,
  way: Way,
): Promise<Packages> {
  const packages = { old: join(folder, 'old'), new: join(folder, 'new'), made: { old: Date.now() - minute, new: 0 } };
  // Of the machine, whichever package it runs.
  await mkdir(join(packages.old, '.lamplighter'), { recursive: true });
  await mkdir(packages.new);
  await symlink(join(packages.old, '.lamplighter'), join(packages.new, '.lamplighter'));
  await writeJobs(packages.old, rolling ? [...jobs, code, schedule, gone] : jobs, way);
  if (rolling) {
    const changed = [{ ...code, edition: 'of the new package' }, { ...schedule, cron: newCron }, come];
    await writeJobs(packages.new, [...jobs, ...changed], way);
  }
  return packages;
}

/**
 * Deploys the new package in the course of a run: to one host, to the others a while later; then one host starts with the
 * old package once more, as a process that was held would, and gets the new one again.
 */
export async function roll(world: World, packages: Packages, lengthMs: number): Promise<void> {
  const { hosts, random } = world;
  await wait(world, lengthMs * 0.35);
  if (world.over) return;
  packages.made.new = Date.now();
  packages.began = Date.now();
  const [first = '', ...others] = hosts.names;
  await hosts.deploy(first, packages.new, packages.made.new);
  await wait(world, Math.min(lengthMs * 0.2, 5 * minute));
  for (const name of others) {
    await hosts.deploy(name, packages.new, packages.made.new);
    await wait(world, between(random, 0, 10 * second) * world.pace);
  }
  packages.ended = Date.now();
  // Later than ten minutes after the deployment it would be a roll-back.
  await hosts.deploy(first, packages.old, packages.made.old);
  await wait(world, Math.min(lengthMs * 0.1, 2 * minute));
  await hosts.deploy(first, packages.new, packages.made.new);
}

/** After a deployment a host may take this long until it has registered its package: it is killed at times. */
const mostUntilKnown = 5 * minute;
/** Slots are claimed a minute ahead, by a tick that may have begun before. */
const ahead = 90 * second;

/** What is expected of the jobs that differ. */
export async function rolledExpectations(
  { store }: World,
  { began, ended }: Packages,
): Promise<Map<string, Expectation>> {
  const expected = new Map<string, Expectation>([[code.name, everyMinute]]);
  const before = (slot: Instant) => slot < (began ?? Number.POSITIVE_INFINITY);
  const row = async (job: string) => (await store.jobs.get(job))?.value;

  const known = await row(schedule.name);
  const isNew = known?.schedules.some(({ cron }) => cron === newCron);
  const changed = isNew ? Math.min(known?.schedulesSince ?? 0, (began ?? 0) + mostUntilKnown) : undefined;
  const even = (slot: Instant) => (slot / minute) % 2 === 0;
  expected.set(schedule.name, {
    required: (slot) => even(slot) || slot <= Math.max(began ?? slot, changed ?? 0),
    allowed: (slot) => even(slot) || changed === undefined || slot <= changed + ahead,
  });

  // Hosts of the old package go on with it for as long as they run.
  expected.set(gone.name, {
    required: before,
    allowed: (slot) => slot <= (ended ?? Number.POSITIVE_INFINITY) + mostUntilKnown,
    ...(began !== undefined && { cancelledFrom: began }),
  });

  const since = (await row(come.name))?.since ?? Number.POSITIVE_INFINITY;
  expected.set(come.name, {
    required: (slot) => began !== undefined && slot > Math.min(since, began + mostUntilKnown),
    allowed: (slot) => began !== undefined && slot > Math.max(since, began),
  });
  return expected;
}
