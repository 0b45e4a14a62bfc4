import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findHome, type Home } from '../../cli/home.ts';
import { composeLocal } from '../../cli/host/compose.ts';
import { readFolder } from '../../cli/host/folder.ts';
import { type Loop, loop } from '../../cli/host/loop.ts';
import { openFolder } from '../../cli/host/store.ts';
import { backfill } from '../../shared/actions/backfill.ts';
import { findPython } from '../../shared/executors/process/python.ts';
import { iso } from '../../shared/instant.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { isFinal, type Run } from '../../shared/run/run.ts';
import { slotOnDate } from '../../shared/schedule/schedule.ts';
import { readExport } from './export.ts';

/**
 * Backfills pull-prospects over every contact day of a CRM export, one run a day, and checks that nothing is missing or
 * double. Beside it the same script, the same days, the same concurrency, as bare processes without history.
 *
 *   node test/bench/backfill.ts [--days N]      the export: LAMPLIGHTER_PROSPECTS, or ../shared/data/prospects.csv
 */
const job = 'pull-prospects';
const root = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({ options: { days: { type: 'string' } } });
const { csv, days, expected } = await readExport(values.days);

const folder = await mkdtemp(join(tmpdir(), 'lamp-bench-'));
await cp(join(root, 'jobs'), join(folder, 'jobs'), { recursive: true });
const home = findHome(folder);
const opened = await openFolder(home);
try {
  const bare = await runBare();
  const { took, runs } = await runBackfill(home);
  const good = runs.filter(({ state }) => state === 'succeeded');
  const rows = good.reduce((sum, run) => sum + Number(run.metrics.rows ?? 0), 0);
  const slots = new Set(good.map(({ slot }) => slot)).size;
  console.log(
    `days ${days.length} · succeeded ${good.length} · distinct slots ${slots} · rows ${rows}, expected ${expected}`,
  );
  console.log(
    `backfill ${(took / 1_000).toFixed(1)} s = ${perMinute(took)} runs/min, with history, log, metrics, outputs`,
  );
  console.log(`bare     ${(bare / 1_000).toFixed(1)} s = ${perMinute(bare)} runs/min, nothing kept`);
  console.log(`ratio backfill / bare ${(bare / took).toFixed(2)} of its throughput`);
  const wrong = good.length !== days.length || slots !== days.length || rows !== expected;
  if (wrong) process.exitCode = 1;
} finally {
  opened.close();
  await rm(folder, { recursive: true, force: true });
}

function perMinute(ms: number): number {
  return Math.round((days.length / ms) * 60_000);
}

async function runBackfill({ ...home }: Home) {
  const { catalog } = await readFolder(home.jobs);
  let running: Loop | undefined;
  const parts = await composeLocal(home, {
    opened,
    catalog: () => catalog,
    emit: (event) => event.type === 'trouble' && console.error(event),
    ended: (attempt) => running?.ended(attempt),
  });
  await parts.store.prepare();
  await register(parts, catalog, Date.now());
  running = loop(parts, () => 8 - parts.executor.running());
  const schedule = catalog.get(job)?.job.schedules[0]?.schedule;
  if (!schedule) throw new Error(`${job} has no schedule`);
  const began = Date.now();
  const slots = days.map((date) => slotOnDate(schedule, date));
  await backfill(parts, job, slots, ['--source', csv], { by: 'bench', why: '' }, began);
  for (;;) {
    let left = 0;
    for await (const { value } of parts.store.active.ofJob(job)) left += value.job === job ? 1 : 0;
    if (left === 0) break;
    await sleep(500);
  }
  const took = Date.now() - began;
  await running.stop();
  const runs: Run[] = [];
  for await (const { value } of parts.store.runs.list(job, { page: 1_000 })) {
    if (value.trigger !== 'backfill' || !isFinal(value.state)) continue;
    runs.push(value);
  }
  return { took, runs };
}

/** The script alone, four at a time as the job's manifest allows, in one folder. */
async function runBare(): Promise<number> {
  const python = await findPython();
  const cwd = join(folder, 'jobs', job);
  const waiting = [...days];
  const began = Date.now();
  const worker = async () => {
    for (let date = waiting.shift(); date !== undefined; date = waiting.shift()) {
      const env = { JOB_SCHEDULED_FOR: iso(Date.parse(`${date}T07:00Z`)), PATH: process.env.PATH };
      const child = spawn(python, ['pull_prospects.py', '--source', csv], { cwd, env, stdio: 'ignore' });
      const code = await new Promise((resolve) => child.once('close', resolve));
      if (code !== 0) throw new Error(`the bare script ended with ${code} on ${date}`);
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return Date.now() - began;
}
