import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { findPython } from '../../shared/executors/process/python.ts';
import { bigLog } from './big-log.ts';
import { cpu } from './cpu.ts';
import { drift } from './drift.ts';
import { growth } from './growth.ts';
import { lag } from './lag.ts';
import { underLoad } from './load.ts';
import { memory } from './memory.ts';
import { operations } from './operations.ts';
import { startup } from './startup.ts';
import { throughput } from './throughput.ts';
import { tick } from './tick.ts';

/**
 * The figures of docs/speed.md, each beside a bare loop in the same run, so that the ratios hold on a busy machine.
 *
 *   node test/bench/bench.ts [--quick] [--only a,b] [--concurrency 8]
 */
export interface Choice {
  /** Fewer jobs and rounds: a look, not a figure to quote. */
  quick: boolean;
  /** Attempts at once; the bare loop has as many. */
  concurrency: number;
}

const parts: Record<string, { title: string; measure: (choice: Choice) => Promise<void> }> = {
  a: { title: 'lag from the slot to the first line', measure: lag },
  b: { title: 'saturated', measure: throughput },
  c: { title: 'CPU', measure: cpu },
  d: { title: 'tick', measure: tick },
  e: { title: 'storage operations', measure: operations },
  f: { title: 'memory', measure: memory },
  g: { title: 'start', measure: startup },
  h: { title: 'drift', measure: drift },
  i: { title: 'growth', measure: growth },
  j: { title: 'the API under load', measure: underLoad },
  k: { title: 'a log of 1 GB', measure: bigLog },
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(parts).join(',') },
    concurrency: { type: 'string', default: '8' },
  },
});
const choice: Choice = { quick: values.quick, concurrency: Number(values.concurrency) };
const wanted = values.only.split(',');
const unknown = wanted.filter((letter) => !(letter in parts));
if (unknown.length > 0 || !(choice.concurrency >= 1)) {
  console.error(`--only takes letters of ${Object.keys(parts).join(', ')}; --concurrency a number from 1`);
  process.exit(1);
}
const load = loadavg()[0]?.toFixed(1);
console.log(`Python ${await findPython()} · Node ${process.versions.node} · ${cpus().length} cores, load ${load}`);
console.log(`${choice.concurrency} at once, here and in the bare loop beside it\n`);
for (const [letter, { title, measure }] of Object.entries(parts)) {
  if (!wanted.includes(letter)) continue;
  console.log(`(${letter}) ${title}`);
  await measure(choice);
}
