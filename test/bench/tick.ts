import { TableClient } from '@azure/data-tables';
import { day, type Instant, minute } from '../../shared/instant.ts';
import type { Deployed } from '../../shared/job/catalog.ts';
import { registerJob } from '../../shared/pipeline/deployments.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { parseSchedule } from '../../shared/schedule/schedule.ts';
import { runCodec } from '../../shared/store/runs.ts';
import { table } from '../../shared/store/table.ts';
import type { Choice } from './bench.ts';
import { line, median, millis } from './figures.ts';
import { openWorld, type World } from './world.ts';

const dueJobs = 10;

/** (d) What one tick costs: 10 of 10,000 jobs are due; the same once 100,000 runs are history. */
export async function tick({ quick }: Choice): Promise<void> {
  const jobs = quick ? 1_000 : 10_000;
  const history = quick ? 10_000 : 100_000;
  const world = await openWorld(1, 1);
  try {
    const start = Math.floor(Date.now() / day) * day + 12 * 3_600_000;
    const catalog = manyJobs(world, jobs);
    const parts = { ...world.parts, catalog: () => catalog };
    const due = [...catalog.values()].slice(0, dueJobs);
    for (const deployed of due) await registerJob(parts, deployed, undefined, start - minute);
    await parts.store.marks.advance('cursor', start, 'bench');

    const before = await ticks(world, catalog, start);
    await fill(world, due, history, start);
    const after = await ticks(world, catalog, start + ticksEach * minute);
    const aim = (all: number[]) => ({ text: 'under 100 ms', met: median(all) < 100 });
    const told = (all: number[]) => `p50 ${millis(median(all))}, most ${millis(Math.max(...all))}`;
    line(`tick, ${dueJobs} of ${jobs} jobs due`, told(before), aim(before));
    line(`  and ${history} runs of history`, told(after), aim(after));
  } finally {
    await world.close();
  }
}

const ticksEach = 12;

/** Ticks a minute apart, ms each. What they claim is taken away again in between, as if it had been run. */
async function ticks({ parts }: World, catalog: Map<string, Deployed>, start: Instant): Promise<number[]> {
  const work = pipeline({ ...parts, catalog: () => catalog });
  const took: number[] = [];
  for (let number = 0; number < ticksEach; number++) {
    const began = performance.now();
    await work.tick(start + number * minute);
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
function manyJobs({ catalog }: World, count: number): Map<string, Deployed> {
  const [model] = catalog.values();
  const schedule = model?.job.schedules[0];
  if (!model || !schedule) throw new Error('the benchmark has no job to copy');
  const jobs = new Map<string, Deployed>();
  for (let number = 0; number < count; number++) {
    const name = `many-${number}`;
    const cron = number < dueJobs ? '* * * * *' : `${number % 60} ${number % 8} * * ${(number % 7) + 1}`;
    const schedules = [{ ...schedule, schedule: parseSchedule(cron, number % 2 ? 'Europe/London' : 'UTC') }];
    jobs.set(name, { ...model, job: { ...model.job, name, schedules } });
  }
  return jobs;
}

async function fill({ connection }: World, jobs: Deployed[], rows: number, now: Instant): Promise<void> {
  const client = TableClient.fromConnectionString(connection, 'runs', { allowInsecureConnection: true });
  const runs = table<Run>(client, runCodec);
  for (const { job } of jobs) {
    const past: Run[] = [];
    for (let number = 1; number <= rows / jobs.length; number++) {
      const slot = now - day - number * minute;
      past.push(newRun(job.name, slot, 'schedule', slot, { state: 'succeeded', startedAt: slot, endedAt: slot }));
    }
    await runs.insertAll(past);
  }
}
