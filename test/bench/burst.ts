import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { second } from '../../shared/instant.ts';
import type { Run } from '../../shared/run/run.ts';
import { bareStamps, dueOf, type World } from './world.ts';

/** So long before the instant the host is up: it claims all slots ahead, as it does in life. */
const lead = 12 * second;

export interface Burst {
  /** From the instant to each script's first statement, ms, ascending. */
  lags: number[];
  /** From the instant until the last run is over, its row final and nothing of it active, ms. */
  took: number;
}

/** One round of the service: every job of the world is due at one instant. @throws Error when a run is not complete */
export async function burst(world: World, round: number, begins = () => {}): Promise<Burst & { runs: Run[] }> {
  const due = dueOf(round);
  const ahead = due - (Date.now() + lead);
  const host = world.host(ahead);
  await sleep(lead - second);
  begins();
  while (world.over.length < world.catalog.size) await sleep(5);
  const { parts, catalog } = world;
  for (;;) {
    let active = 0;
    for await (const _ of parts.store.active.all()) active += 1;
    if (active === 0) break;
    await sleep(5);
  }
  const took = Date.now() + ahead - due;
  await host.stop();
  const runs: Run[] = [];
  for (const name of catalog.keys()) {
    for await (const { value } of parts.store.runs.list(name, { from: due, to: due })) runs.push(value);
  }
  const lags = runs.map((run) => startOf(run) * 1_000 + ahead - due);
  const incomplete = runs.filter(({ state }) => state !== 'succeeded');
  if (runs.length !== catalog.size || incomplete.length > 0) {
    throw new Error(`${runs.length} of ${catalog.size} rows, ${incomplete.length} of them not succeeded`);
  }
  return { lags: lags.sort((a, b) => a - b), took, runs };
}

function startOf(run: Run): number {
  if (typeof run.metrics.at !== 'number') throw new Error(`${run.job}.${run.id} has no metric "at": ${run.state}`);
  return run.metrics.at;
}

/** The same script as often, by the same interpreter, as many at once, and nothing is kept. */
export async function bareBurst(world: World, round: number): Promise<Burst> {
  const file = join(world.bare, `metrics-${round}-${Date.now()}`);
  const env = { PATH: process.env.PATH, JOB_METRICS: file };
  let left = world.catalog.size;
  const began = Date.now();
  async function worker() {
    while (left > 0) {
      left -= 1;
      const child = spawn(world.python, ['job.py'], { cwd: world.bare, env, stdio: 'ignore' });
      const code = await new Promise((resolve) => child.once('close', resolve));
      if (code !== 0) throw new Error(`the bare script ended with ${code}`);
    }
  }
  await Promise.all(Array.from({ length: world.concurrency }, worker));
  const took = Date.now() - began;
  const stamps = await bareStamps(file);
  return { lags: stamps.map((at) => at * 1_000 - began).sort((a, b) => a - b), took };
}
