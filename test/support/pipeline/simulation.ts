import { type Instant, minute, second } from '../../../shared/instant.ts';
import type { Catalog } from '../../../shared/job/catalog.ts';
import type { Job } from '../../../shared/job/job.ts';
import type { Parts } from '../../../shared/parts.ts';
import { WrongClock } from '../../../shared/pipeline/clock.ts';
import { register } from '../../../shared/pipeline/deployments.ts';
import { type Pipeline, pipeline } from '../../../shared/pipeline.ts';
import { isFinal, parseRunId, type Run } from '../../../shared/run/run.ts';
import { slotsBetween } from '../../../shared/schedule/schedule.ts';
import { key } from './executor.ts';
import { Died, disturbed, type Plan } from './fault.ts';
import { World } from './parts.ts';
import { numbers } from './random.ts';

/** One host of a simulation: works in steps, dies and comes back, and may have a wrong clock or another package. */
export interface SimulatedHost {
  name: string;
  work: Pipeline;
  parts: Parts;
  /** Until then nothing that it does arrives. */
  deadUntil: Instant;
  /** By which its clock is wrong, ms. */
  clockOff: number;
  /** The jobs that it knows; left out: those of the world. */
  catalog?: Catalog;
  /** It does not work at all: a process that is held, or not started yet. */
  held: boolean;
}

export interface Simulation {
  world: World;
  hosts: SimulatedHost[];
  random: () => number;
  began: Instant;
  /** Jobs whose rows cannot be written just now, on any host. */
  poisoned: Set<string>;
}

/** Something that happens: asked at each step. */
export type Trouble = (simulation: Simulation) => Promise<void> | void;

export interface SimulationOptions {
  seed: number;
  jobs: Job[];
  /** How long slots come for, minutes of virtual time. */
  minutes: number;
  /** Names of the hosts; left out: two. */
  hosts?: string[];
  /** How often a call of storage or platform fails, with or without effect; and how often a host dies at one. */
  fails?: number;
  dies?: number;
  troubles?: Trouble[];
  /** As many attempts may run at once; left out: no limit. */
  limit?: number;
  /** Share of nudges that get lost. */
  losesNudges?: number;
  /** How long things may take to settle after the last slot, minutes. */
  settling?: number;
}

/** What a simulation has to show: everything but `slots` must be empty. */
export interface SimulationVerdict {
  slots: number;
  missed: string[];
  duplicate: string[];
  extra: string[];
  lost: string[];
  stuck: string[];
  /** Skipped for a run that was over by then, or of which nothing has ever run. */
  wronglySkipped: string[];
}

const stepMs = 30 * second;

/** All seeds, each of ten thousand slots and more, which takes minutes: `npm run simulate`. */
export const long = process.env.LONG_SIMULATION === '1';

/**
 * Runs hosts in virtual time over a store in memory while troubles happen, then lets all settle and matches expected
 * slots to rows, and rows to the attempts that ran. The same seed gives the same course.
 */
export async function simulate(options: SimulationOptions): Promise<{ verdict: SimulationVerdict; sim: Simulation }> {
  const random = numbers(options.seed);
  const original = Math.random;
  Math.random = random;
  try {
    const world = await World.inMemory(...options.jobs);
    if (options.limit !== undefined) world.parts.limit = options.limit;
    const sim: Simulation = { world, hosts: [], random, began: world.now, poisoned: new Set() };
    for (const name of options.hosts ?? ['one', 'two']) addHost(sim, name, options);
    for (const until = sim.began + options.minutes * minute; world.now < until; ) {
      world.now += stepMs;
      for (const trouble of options.troubles ?? []) await trouble(sim);
      await Promise.all(sim.hosts.map((host) => step(sim, host, options.losesNudges ?? 0.2)));
    }
    sim.poisoned.clear();
    const cursor = await settle(sim, options.settling ?? 300);
    return { verdict: await verdictOf(sim, cursor), sim };
  } finally {
    Math.random = original;
  }
}

/** A host more. */
export function addHost(
  sim: Simulation,
  name: string,
  { fails = 0.01, dies = 0.002, limit }: Pick<SimulationOptions, 'fails' | 'dies' | 'limit'> = {},
): SimulatedHost {
  const { world, random } = sim;
  const host: SimulatedHost = { name, work: world.work, parts: world.parts, deadUntil: 0, clockOff: 0, held: false };
  const plan: Plan = () => {
    if (world.now < host.deadUntil) return 'before';
    if (random() < dies) host.deadUntil = world.now + random() * 12 * minute;
    return random() < fails ? (random() < 0.5 ? 'before' : 'after') : undefined;
  };
  const catalog = () => host.catalog ?? world.catalog();
  const own = world.apart({ person: name, catalog, ...(limit !== undefined && { limit }) });
  host.parts = disturbed(poisonedParts(sim, own), plan).parts;
  host.work = pipeline(host.parts);
  sim.hosts.push(host);
  return host;
}

function poisonedParts({ poisoned }: Simulation, parts: Parts): Parts {
  const { runs } = parts.store;
  const insertAll: typeof runs.insertAll = async (rows) => {
    if (rows.some(({ job }) => poisoned.has(job))) throw new Died('no row of this job can be written');
    return runs.insertAll(rows);
  };
  return { ...parts, store: { ...parts.store, runs: { ...runs, insertAll } } };
}

/** As a process that has just started registers its package; its failure is survived. */
export async function registerAt(sim: Simulation, host: SimulatedHost): Promise<void> {
  await survive(register(host.parts, host.parts.catalog(), sim.world.now + host.clockOff));
}

async function step({ world, random }: Simulation, host: SimulatedHost, losesNudges: number): Promise<void> {
  if (host.held || world.now < host.deadUntil) return;
  await survive(host.work.tick(world.now + host.clockOff));
  // Hosts go by the store's time in what they start and end; only what ticks has to ask for it.
  const now = world.now;
  for (const { text, done, count } of await world.queue.take(32, 60)) {
    if (count > 5) await done();
    else await survive(host.work.launch(text, now).then(done));
  }
  // Some nudges get lost.
  for (const ended of world.platform.nudges.splice(0)) {
    if (random() >= losesNudges) await survive(host.work.finish(ended, now));
  }
}

/** What the faults throw is survived, as a host survives it; anything else is a defect. */
export async function survive(doing: Promise<unknown>): Promise<void> {
  await doing.catch((error) => {
    const all = error instanceof AggregateError ? error.errors : [error];
    for (const one of all)
      if (!(one instanceof Died) && !(one instanceof WrongClock) && one?.message !== 'socket hang up') throw error;
  });
}

/** Everything works and no new slots come. @returns the instant up to which slots were claimed */
async function settle({ world }: Simulation, minutes: number): Promise<Instant> {
  await world.work.tick(world.now);
  for (const { job } of world.jobs.values()) job.status = 'decommissioned';
  world.platform.behave = () => 'succeed';
  const cursor = (await world.store.marks.get('cursor')) ?? 0;
  for (let i = 0; i < minutes && (await world.leftovers()).length > 0; i++) {
    for (const attempt of world.platform.running()) await world.platform.end(attempt);
    await world.pass(world.now + minute);
  }
  return cursor;
}

async function verdictOf({ world, began }: Simulation, cursor: Instant): Promise<SimulationVerdict> {
  const verdict: SimulationVerdict = {
    slots: 0,
    missed: [],
    duplicate: [],
    extra: [],
    lost: [],
    stuck: [],
    wronglySkipped: [],
  };
  const ran = new Map(world.platform.executions);
  for (const { job } of world.jobs.values()) {
    const { name, schedules } = job;
    const since = Math.max(began, (await world.store.jobs.get(name))?.value.since ?? cursor);
    const expected = new Set(schedules.flatMap(({ schedule }) => slotsBetween(schedule, since, cursor)));
    verdict.slots += expected.size;
    const rows = await world.rows(name);
    const claimed = new Set(rows.filter(({ id }) => !id.includes('.')).map(({ slot }) => slot));
    for (const slot of expected) if (!claimed.has(slot)) verdict.missed.push(`${name} ${new Date(slot).toISOString()}`);
    for (const run of rows) {
      const scheduled = parseRunId(run.id)?.trigger === 'schedule';
      if (scheduled && !expected.has(run.slot)) verdict.extra.push(`${name}.${run.id} ${run.state}`);
      if (!isFinal(run.state)) verdict.stuck.push(`${name}.${run.id} ${run.state}`);
      if (isWronglySkipped(world, run, rows)) verdict.wronglySkipped.push(`${name}.${run.id} ${run.reason}`);
    }
  }
  // Of removed jobs as well: what ran is in the history.
  for await (const { value } of world.store.jobs.all()) {
    for (const { job, id, attempts } of await world.rows(value.name)) {
      for (const { number } of attempts) ran.delete(key({ job, run: id, attempt: number }));
    }
  }
  for (const [attempt, count] of world.platform.executions) if (count > 1) verdict.duplicate.push(attempt);
  verdict.lost.push(...ran.keys());
  verdict.stuck.push(...(await world.leftovers()));
  return verdict;
}

/** The reason of a skip names the run that was in the way. */
function isWronglySkipped(world: World, run: Run, rows: readonly Run[]): boolean {
  if (run.reasonCode !== 'overlap') return false;
  const other = rows.find(({ id }) => run.reason?.startsWith(id) ?? false);
  if (!other) return true;
  const ran = other.attempts.some(({ number }) => {
    return world.platform.executions.has(key({ job: run.job, run: other.id, attempt: number }));
  });
  return !ran || (other.endedAt ?? 0) < (run.endedAt ?? 0) - stepMs;
}

/** What a verdict must be. */
export const clean = { missed: [], duplicate: [], extra: [], lost: [], stuck: [] };
