import { hour, type Instant, minute } from '../../shared/instant.ts';
import type { Deployed } from '../../shared/job/catalog.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { newJobRow } from '../../shared/run/job-row.ts';
import { newRun } from '../../shared/run/run.ts';
import type { Store } from '../../shared/store/store.ts';
import type { World } from './world.ts';

/** Attempts that may run at once; as many run all the while. */
const limit = 5;
const minutes = 10;

/** What the store is asked for in a minute of rest, while `count` runs wait for a place, and before they did. */
export async function waiting(world: World, model: Deployed, count: number, start: Instant) {
  let now = start;
  let calls = 0;
  const store = counted({ ...world.parts.store, time: async () => now }, () => {
    calls += 1;
  });
  // Not due, and not in production: that they are late is an alert, and no rest.
  const quiet = Array.from({ length: limit + count }, (_, number): Deployed => {
    return { ...model, job: { ...model.job, name: `waits-${number}`, status: 'development', schedules: [] } };
  });
  await Promise.all(quiet.map(({ job, bundle }) => store.jobs.insert(newJobRow(job.name, now, { bundle }))));
  await store.marks.advance('cursor', now, 'bench');
  const catalog = new Map(quiet.map((one) => [one.job.name, one]));
  const work = pipeline({ ...world.parts, store, limit, catalog: () => catalog });
  const ticks = async (many: number) => {
    calls = 0;
    for (let at = 0; at < many; at += 1) {
      now += minute;
      await work.tick(now);
    }
    return calls / many;
  };

  const [busy = [], others = []] = [quiet.slice(0, limit), quiet.slice(limit)];
  for (const [number, { job }] of busy.entries()) {
    const { id } = newRun(job.name, now, 'schedule', now);
    await store.active.insert({ job: job.name, run: id, checkAfter: now + 24 * hour, since: now });
    await store.places.take({ number, job: job.name, run: id, attempt: 1, since: now });
  }
  await work.tick(now);
  const before = await ticks(minutes);
  const runs = others.map(({ job }) => newRun(job.name, now, 'schedule', now));
  await store.active.insertAll(runs.map(({ job, id }) => ({ job, run: id, checkAfter: now + hour, since: now })));
  for (const run of runs) await store.runs.insert(run);
  for (const { job, id } of runs) await work.launch(JSON.stringify({ job, run: id, attempt: 1 }), now);
  // By then it was reported that they are late, once each.
  await ticks(15);
  return { before, during: await ticks(minutes) };
}

/** The same store, reporting each call: each is at least one request. */
function counted(store: Store, onCall: () => void): Store {
  const parts = Object.entries(store).map(([name, part]) => {
    if (typeof part !== 'object') return [name, part];
    const calls = Object.entries(part as Record<string, unknown>).map(([method, call]) => {
      if (typeof call !== 'function' || method === 'guess') return [method, call];
      return [
        method,
        (...given: unknown[]) => {
          onCall();
          return (call as (...given: unknown[]) => unknown)(...given);
        },
      ];
    });
    return [name, Object.fromEntries(calls)];
  });
  return Object.fromEntries(parts) as Store;
}
