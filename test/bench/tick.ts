import { day, hour, type Instant, minute } from '../../shared/instant.ts';
import type { Deployed } from '../../shared/job/catalog.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { scheduleTexts } from '../../shared/run/expected.ts';
import { newJobRow } from '../../shared/run/job-row.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { parseSchedule } from '../../shared/schedule/schedule.ts';
import type { Choice } from './bench.ts';
import { line, median, millis } from './figures.ts';
import { waiting } from './waiting.ts';
import { openWorld, type World } from './world.ts';

const dueJobs = 10;

/**
 * (d) What one tick costs: 10 of 100,000 jobs are due; the same once 100,000 runs are history; 10,000 due at once, which
 * must be claimed within the minute that ticks look ahead. And what a minute costs while others wait.
 */
export async function tick(choice: Choice): Promise<void> {
  await tickOf(choice, 'embedded');
  await tickOf(choice, 'azurite');
}

async function tickOf({ quick }: Choice, kind: 'embedded' | 'azurite'): Promise<void> {
  const jobs = quick ? 10_000 : 100_000;
  const history = quick ? 10_000 : 100_000;
  const crowd = quick ? 1_000 : 10_000;
  const world = await openWorld(1, 1, kind);
  try {
    const start = Math.floor(Date.now() / day) * day + 12 * 3_600_000;
    const catalog = manyJobs(world, jobs, dueJobs);
    const due = [...catalog.values()].slice(0, dueJobs);
    await know(world, due, start);

    const before = await ticks(world, catalog, start);
    if (kind === 'embedded') await fill(world, due, history, start);
    const after = kind === 'embedded' ? await ticks(world, catalog, start + ticksEach * minute) : [];
    const aim = (all: number[]) => ({ text: 'under 300 ms', met: median(all) < 300 });
    const reported = (all: number[]) => `p50 ${millis(median(all))}, most ${millis(Math.max(...all))}`;
    const shape = kind === 'azurite' ? ', requests as in Azure (Azurite)' : '';
    line(`tick, ${dueJobs} of ${jobs} jobs due${shape}`, reported(before), aim(before));
    if (after.length > 0) line(`  and ${history} runs of history`, reported(after), aim(after));

    const all = manyJobs(world, crowd, crowd);
    await know(world, [...all.values()], start + hour);
    const took = await crowdedTick(world, all, start + hour);
    line(`tick, ${crowd} of ${crowd} jobs due${shape}`, millis(took), { text: 'under 60 s', met: took < minute });
    if (kind === 'azurite') return;
    for await (const { value } of world.parts.store.active.all()) {
      await world.parts.store.active.remove(value.job, value.run);
    }
    const [model] = due;
    if (!model) return;
    const { before: none, during } = await waiting(world, model, 1_000, start + 2 * hour);
    const reads = `${during.toFixed(1)} calls of the store a minute, ${none.toFixed(1)} without them`;
    line('1000 runs that wait for a place', reads, { text: 'no more than without', met: during <= none });
  } finally {
    await world.close();
  }
}

/** The rows of jobs as registering leaves them, without the bundles, which no tick reads. */
async function know({ parts }: World, jobs: Deployed[], at: Instant): Promise<void> {
  const rows = jobs.map(({ job, bundle }) => newJobRow(job.name, at, { bundle, schedules: scheduleTexts(job) }));
  await Promise.all(rows.map((row) => parts.store.jobs.insert(row)));
  await parts.store.marks.advance('cursor', at, 'bench');
}

function at({ parts }: World, catalog: Map<string, Deployed>, clock: () => Instant) {
  const store = { ...parts.store, time: async () => clock() };
  return pipeline({ ...parts, store, catalog: () => catalog });
}

/** All that is due in one minute, claimed and queued, ms. */
async function crowdedTick(world: World, catalog: Map<string, Deployed>, now: Instant): Promise<number> {
  const began = performance.now();
  await at(world, catalog, () => now).tick(now);
  const took = performance.now() - began;
  let claimed = 0;
  for await (const _ of world.parts.store.active.all()) claimed += 1;
  if (claimed < catalog.size) throw new Error(`the tick claimed ${claimed} runs and not ${catalog.size}`);
  return took;
}

const ticksEach = 12;

/** Ticks a minute apart, ms each. What they claim is removed again in between, as if it had been run. */
async function ticks(world: World, catalog: Map<string, Deployed>, start: Instant): Promise<number[]> {
  const { parts } = world;
  let now = start;
  const work = at(world, catalog, () => now);
  const took: number[] = [];
  for (let number = 0; number < ticksEach; number++) {
    const began = performance.now();
    now = start + number * minute;
    await work.tick(now);
    took.push(performance.now() - began);
    let claimed = 0;
    for await (const { value } of parts.store.active.all()) {
      await parts.store.active.remove(value.job, value.run);
      claimed += 1;
    }
    if (claimed !== dueJobs) throw new Error(`the tick claimed ${claimed} runs and not ${dueJobs}`);
  }
  // The first one compiles and connects.
  return took.slice(2);
}

/** Ten are due each minute; each other has a time of its own, far from noon. */
function manyJobs({ catalog }: World, count: number, due: number): Map<string, Deployed> {
  const [model] = catalog.values();
  const schedule = model?.job.schedules[0];
  if (!model || !schedule) throw new Error('the benchmark has no job to copy');
  const jobs = new Map<string, Deployed>();
  for (let number = 0; number < count; number++) {
    const name = `many-${due}-${number}`;
    const cron = number < due ? '* * * * *' : `${number % 60} ${number % 8} * * ${(number % 7) + 1}`;
    const schedules = [{ ...schedule, schedule: parseSchedule(cron, number % 2 ? 'Europe/London' : 'UTC') }];
    jobs.set(name, { ...model, job: { ...model.job, name, schedules } });
  }
  return jobs;
}

async function fill({ parts }: World, jobs: Deployed[], rows: number, now: Instant): Promise<void> {
  for (const { job } of jobs) {
    const past: Run[] = [];
    for (let number = 1; number <= rows / jobs.length; number++) {
      const slot = now - day - number * minute;
      past.push(newRun(job.name, slot, 'schedule', slot, { state: 'succeeded', startedAt: slot, endedAt: slot }));
    }
    await parts.store.runs.insertAll(past);
  }
}
