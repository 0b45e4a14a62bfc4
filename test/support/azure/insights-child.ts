import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenCredential } from '@azure/identity';
import { insights } from '../../../shared/telemetry/insights.ts';
import { catalogOf, job, started } from '../pipeline/cast.ts';

// A process of its own, as a function app is one: Node trusts our certificate only if it is reported at its start.

export interface Plan {
  connection: string;
  authentication?: string;
  /** A token in place of the managed identity's, which is nowhere to be had here. */
  token?: string;
  flushMs?: number;
  /** Groups of events, each reported in an operation of its own, all at once. */
  operations: { traceParent?: string; runs: string[] }[];
  /** This often a flush is called, one after the other, with one more event before each. */
  flushes: number;
  pauseMs?: number;
}

export interface Outcome {
  /** Before the first flush, and after the last: whether the package is loaded. */
  loadedBefore: boolean;
  loadedAfter: boolean;
  flushMs: number[];
  log: string[];
}

const plan = JSON.parse(process.argv[2] ?? '{}') as Plan;
const log: string[] = [];
const credential: TokenCredential = {
  getToken: async () => ({ token: plan.token ?? '', expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const telemetry = insights({
  connection: plan.connection,
  ...(plan.authentication && { authentication: plan.authentication }),
  ...(plan.token && { credential }),
  ...(plan.flushMs && { flushMs: plan.flushMs }),
  catalog: () => catalogOf(job('score')),
  log: (line) => log.push(line),
});

function tellRun(id: string): void {
  telemetry.emit({ type: 'attempt-failed', run: started('score', { id, metrics: { rows: 412 } }) });
}

await Promise.all(
  plan.operations.map(({ traceParent, runs }) =>
    telemetry.operation(traceParent, async () => {
      for (const id of runs) {
        // What comes later in a handler belongs to it as well.
        await sleep(0);
        tellRun(id);
      }
    }),
  ),
);
const loaded = () =>
  Object.keys(createRequire(import.meta.url).cache).some((path) => /applicationinsights|@opentelemetry/.test(path));
const outcome: Outcome = { loadedBefore: loaded(), loadedAfter: false, flushMs: [], log };
for (let flush = 0; flush < plan.flushes; flush++) {
  if (flush > 0) tellRun(`more${flush}`);
  const began = performance.now();
  await telemetry.flush();
  outcome.flushMs.push(performance.now() - began);
  if (plan.pauseMs) await sleep(plan.pauseMs);
}
outcome.loadedAfter = loaded();
process.stdout.write(JSON.stringify(outcome), () => process.exit(0));
