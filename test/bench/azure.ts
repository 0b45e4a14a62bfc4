import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Docker from 'dockerode';
import { readFolder } from '../../cli/host/folder.ts';
import { backfill } from '../../shared/actions/backfill.ts';
import { isFinal, type Run } from '../../shared/run/run.ts';
import { slotOnDate } from '../../shared/schedule/schedule.ts';
import type { Fault } from '../support/arm/arm-fault.ts';
import { openAzure } from '../support/azure/azure-world.ts';
import { runtimeImage } from '../support/docker/docker.ts';
import { numbers } from '../support/pipeline/random.ts';
import { readExport } from './export.ts';

/**
 * Backfills pull-prospects over every contact day of a CRM export in the shape that the service has in Azure: the
 * published package in a worker, storage by identity, executions through Azure's management in real containers. One
 * request in ten of those that start fails, half of them after it has started the job; a third each is answered by
 * 200, by 202 with the execution and by 202 with a place to ask alone; status is stale. Nothing may be missing or double.
 *
 *   node test/bench/azure.ts [--days N] [--seed N] [--calm]     the export: LAMPLIGHTER_PROSPECTS
 */
const job = 'pull-prospects';
const root = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({
  options: { days: { type: 'string' }, seed: { type: 'string', default: '1' }, calm: { type: 'boolean' } },
});
const { csv, days, expected } = await readExport(values.days);

const docker = new Docker();
const { catalog } = await readFolder(join(root, 'jobs'));
const world = await openAzure({
  docker,
  image: await runtimeImage(docker),
  catalog,
  binds: [`${csv}:/export.csv:ro`],
  tickEveryMs: 15_000,
});
const faults: Record<string, Fault> = {
  'executed, answered 500': { done: true, answer: { status: 500, code: 'InternalServerError' } },
  'executed, answer lost': { done: true, answer: 'lost' },
  'not executed, answered 503': { done: false, answer: { status: 503, code: 'ServiceUnavailable' } },
  'not executed, answered 429': { done: false, answer: { status: 429, code: 'TooManyRequests' } },
};
const hurt: Record<string, number> = {};
const random = numbers(Number(values.seed));
const yes = ['done', 'accepted', 'accepted and named'] as const;
world.arm.fault = (operation) => {
  if (values.calm || operation !== 'start') return undefined;
  world.arm.accepts = yes[Math.floor(random() * yes.length)] ?? 'done';
  // Of one in ten Azure goes on saying that it runs, long after its end.
  const last = world.arm.executions.at(-1);
  if (last && random() < 0.1) last.stuck = 'Running';
  if (random() >= 0.1) return undefined;
  const name = Object.keys(faults)[Math.floor(random() * 4)] ?? '';
  hurt[name] = (hurt[name] ?? 0) + 1;
  return faults[name];
};
try {
  await world.start();
  const schedule = catalog.get(job)?.job.schedules[0]?.schedule;
  if (!schedule) throw new Error(`${job} has no schedule`);
  const began = Date.now();
  const slots = days.map((date) => slotOnDate(schedule, date));
  await backfill(world.parts, job, slots, ['--source', '/export.csv'], { by: 'bench', why: '' }, began);
  const first = Math.min(...slots);
  const last = Math.max(...slots);
  let runs: Run[] = [];
  for (let over = -1; over < days.length; await sleep(2_000)) {
    runs = [];
    for await (const { value } of world.store.runs.list(job, { from: first, to: last, page: 1_000 })) runs.push(value);
    const now = runs.filter(({ state }) => isFinal(state)).length;
    if (now !== over && process.stderr.isTTY) process.stderr.write(`\r${now} of ${days.length}`);
    over = now;
  }
  const took = Date.now() - began;
  const good = runs.filter(({ state }) => state === 'succeeded');
  const rows = good.reduce((sum, run) => sum + Number(run.metrics.rows ?? 0), 0);
  const distinct = new Set(good.map(({ slot }) => slot)).size;
  const codes = [...world.exits.values()].flat();
  const doubled = runs.filter(({ id, attempts }) => {
    const exits = attempts.flatMap(({ number }) => world.exits.get(`${job}/${id}/${number}`) ?? []);
    return exits.filter((code) => code === 0).length !== 1;
  });
  const starts = world.arm.count('start');
  console.log(
    `days ${days.length} · succeeded ${good.length} · distinct slots ${distinct} · rows ${rows}, expected ${expected}`,
  );
  console.log(`starts asked of Azure ${starts}, of which failed: ${JSON.stringify(hurt)}`);
  console.log(
    `containers ${codes.length}, that found their attempt taken: ${codes.filter((code) => code !== 0).length}`,
  );
  console.log(
    `runs done twice or not at all: ${doubled.length} · requests that break Microsoft's specification: ${world.arm.violations.length}`,
  );
  console.log(`requests to Azure's management a run: ${(world.arm.asked.length / days.length).toFixed(2)}`);
  console.log(
    `${(took / 1_000).toFixed(0)} s = ${Math.round((days.length / took) * 60_000)} runs/min, containers included`,
  );
  for (const error of new Set(world.host.errors)) console.log(`an invocation failed: ${error}`);
  const right = good.length === days.length && distinct === days.length && rows === expected;
  if (!right || doubled.length > 0) process.exitCode = 1;
} finally {
  await world.stop();
}
