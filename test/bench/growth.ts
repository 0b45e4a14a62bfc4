import { open, stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { day, type Instant, minute } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { newJobRow } from '../../shared/run/job-row.ts';
import { newRun } from '../../shared/run/run.ts';
import { databaseFile, openEmbedded } from '../../shared/store/embedded/store.ts';
import { newestRuns } from '../../shared/store/newest.ts';
import { forget } from '../../shared/upkeep/retention.ts';
import type { Choice } from './bench.ts';
import { line, median, millis } from './figures.ts';
import { openWorld } from './world.ts';

const jobs = 10;

/** (i) A year of ten jobs a minute: 5 million runs in the store of one machine. */
export async function growth({ quick }: Choice): Promise<void> {
  const count = quick ? 200_000 : 5_000_000;
  const world = await openWorld(1, 1);
  const { home, parts } = world;
  const now = Math.floor(Date.now() / day) * day;
  const file = databaseFile(home.state);
  try {
    const template = newRun('grown-0', now, 'schedule', now, {
      state: 'succeeded',
      startedAt: now,
      // Each instant of the template becomes that of its run.
      endedAt: now,
    });
    await parts.store.runs.insert(template);
    await parts.store.recent.append([template]);
    const began = performance.now();
    fill(file, template.id, now, count);
    // Not what is measured below: the next sync would have all of it to write.
    await using filled = await open(file);
    await filled.sync();
    const size = (await stat(file)).size;
    line(
      `${count} runs written`,
      `${((performance.now() - began) / 1_000).toFixed(0)} s, file ${Math.round(size / 1e6)} MB`,
    );

    const opening = [0, 1, 2].map(() => timed(() => openEmbedded(home.state).close()));
    line('  open the store', millis(median(opening)), { text: 'under 1 s', met: median(opening) < 1_000 });
    const newest: number[] = [];
    for (let at = 0; at < 5; at++) newest.push(await timedly(() => first50(newestRuns(parts.store, { page: 50 }))));
    line('  the newest 50 of all jobs', millis(median(newest)), { text: 'under 100 ms', met: median(newest) < 100 });
    const ofJob = await timedly(() => first50(parts.store.runs.list('grown-3', { page: 50 })));
    line('  the newest 50 of one job', millis(ofJob));

    const work = pipeline({ ...parts, store: { ...parts.store, time: async () => now } });
    const ticks: number[] = [];
    for (let at = 0; at < 5; at++) ticks.push(await timedly(() => work.tick(now + at * minute)));
    line('  a tick with nothing due', millis(median(ticks)));

    // A day's worth goes each day: the longest that anything else had to wait meanwhile.
    const longest = await stalls(async () => {
      for (let at = 0; at < jobs; at++) await insertJob(parts.store, `grown-${at}`, now);
      const gone = await forget(parts, oldest(now, count) + day / 10, { blobs: false });
      const due = Math.ceil((jobs * day) / 10 / minute);
      line(`  retention of ${gone.count} runs`, '', { text: `${due} of them`, met: gone.count === due });
    });
    line('    longest pause of the host', millis(longest));
  } finally {
    await world.close();
  }
}

const oldest = (now: Instant, count: number) => now - (count / jobs) * minute;

/** Through SQL: the doors of the store would take an hour. Oldest first, as history grows. */
function fill(file: string, id: string, now: Instant, count: number): void {
  using db = new DatabaseSync(file);
  db.exec('PRAGMA synchronous = off; PRAGMA cache_size = -200000; PRAGMA wal_autocheckpoint = 100000');
  const template = (table: string) =>
    String(db.prepare(`SELECT entity FROM ${table} WHERE partition <> 'days'`).get()?.entity)
      .replaceAll(new Date(now).toISOString(), '@slot')
      .replaceAll(id, '@id')
      .replaceAll('grown-0', '@job');
  const slots = `WITH RECURSIVE n (i, at) AS (
    SELECT 0, ${oldest(now, count)} UNION ALL SELECT i + 1, ${oldest(now, count)} + ((i + 1) / ${jobs}) * ${minute} FROM n WHERE i + 1 < ${count})`;
  const entity = `replace(replace(replace(?, '@slot', strftime('%Y-%m-%dT%H:%M:00.000Z', at / 1000, 'unixepoch')),
    '@id', strftime('%Y%m%dT%H%M00Z', at / 1000, 'unixepoch')), '@job', 'grown-' || (i % ${jobs}))`;
  const inverted = `printf('%013d', 9999999999999 - at)`;
  db.exec('BEGIN');
  db.prepare(
    `${slots} INSERT INTO runs (partition, row, etag, entity)
     SELECT 'grown-' || (i % ${jobs}), 'r|' || ${inverted} || '|', 'e' || i, ${entity} FROM n`,
  ).run(template('runs'));
  db.prepare(
    `${slots} INSERT INTO recent (partition, row, etag, entity)
     SELECT strftime('%Y-%m-%d', at / 1000, 'unixepoch'), ${inverted} || '|grown-' || (i % ${jobs}) || '|', 'e' || i, ${entity}
     FROM n`,
  ).run(template('recent'));
  db.prepare(
    `${slots} INSERT INTO recent (partition, row, etag, entity)
     SELECT DISTINCT 'days', printf('%013d', 9999999999999 - (at / ${day}) * ${day}), 'd', '{}' FROM n WHERE true
     ON CONFLICT DO NOTHING`,
  ).run();
  db.exec('COMMIT; PRAGMA wal_checkpoint(truncate)');
}

async function insertJob(store: Parameters<typeof forget>[0]['store'], name: string, now: Instant): Promise<void> {
  await store.jobs.insert(newJobRow(name, now, { bundle: 'b', schedules: [] }));
}

async function first50(things: AsyncIterable<unknown>): Promise<void> {
  let seen = 0;
  for await (const _ of things) if (++seen === 50) return;
}

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

async function timedly(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** The longest time, ms, for which nothing else of this process got its turn. */
async function stalls(work: () => Promise<void>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last - 5);
    last = performance.now();
  }, 5);
  await work();
  clearInterval(timer);
  return longest;
}
