import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiPath } from '../../shared/api/paths.ts';
import { openApp } from './app-world.ts';
import type { Choice } from './bench.ts';
import { line, millis, quantile } from './figures.ts';

/** What people and programs ask for, in turn: most of all the state and the log of a run that they wait for. */
const pathsOf = (run: string) => [
  `/jobs/job-007/runs/${run}`,
  `/jobs/job-007/runs/${run}/attempts/1/log`,
  '/jobs/job-007',
  `/jobs/job-007/runs/${run}`,
  '/jobs?limit=50',
  `/jobs/job-007/runs/${run}`,
  '/health',
  `/jobs/job-007/runs/${run}/attempts/1/log`,
  '/jobs/job-007/runs?limit=20',
  '/incidents',
];
/** The clock looks this many times a second whether a request is due. */
const looks = 200;
/** An answer that takes longer counts as an error, ms. */
const patience = 10_000;

/**
 * (j) The API at a steady rate, each request with a token that is checked. A request counts from the instant at which it
 * was due: one that must wait for a slow one before it is not left out of the figure.
 */
export async function underLoad({ quick }: Choice): Promise<void> {
  const world = await openApp();
  const token = await world.issuer.token();
  try {
    const [run] = await world.runs('job-007');
    const paths = pathsOf(run ?? '');
    await drive(world.url, paths, token, 100, 3);
    for (const rate of quick ? [1_000] : [250, 1_000]) {
      const seconds = quick ? 5 : rate === 1_000 ? 60 : 15;
      const { sent, failed, latencies, tookMs, most } = await drive(world.url, paths, token, rate, seconds);
      const sorted = latencies.sort((a, b) => a - b);
      line(
        `${rate} requests a second for ${seconds} s`,
        `${Math.round(((sent - failed) / tookMs) * 1_000)} answered a second`,
      );
      const errors = `${((failed / sent) * 100).toFixed(2)} %`;
      line('  errors', errors, rate === 1_000 ? { text: 'none', met: failed === 0 } : undefined);
      line('  p50 / p99 / worst', [0.5, 0.99, 1].map((share) => millis(quantile(sorted, share))).join(' / '));
      line('  open at once, most', String(most));
    }
  } finally {
    await world.close();
  }
}

async function drive(url: string, paths: readonly string[], token: string, rate: number, seconds: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const headers = { authorization: `Bearer ${token}` };
  const latencies: number[] = [];
  let [sent, failed, open, most] = [0, 0, 0, 0];
  const began = performance.now();
  const ask = (due: number) => {
    most = Math.max(most, ++open);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const call = request(`${url}${apiPath}${paths[sent % paths.length]}`, { agent, headers }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode === 200));
      answer.once('error', () => resolve(false));
    });
    call.setTimeout(patience, () => call.destroy(new Error('too late')));
    call.once('error', () => resolve(false));
    call.end();
    return promise.then((good) => {
      open -= 1;
      if (good) latencies.push(performance.now() - due);
      else failed += 1;
    });
  };
  const all: Promise<void>[] = [];
  for (const total = rate * seconds; sent < total; await sleep(1_000 / looks)) {
    const due = Math.min(Math.floor(((performance.now() - began) / 1_000) * rate), total);
    for (; sent < due; sent++) all.push(ask(began + (sent / rate) * 1_000));
  }
  await Promise.all(all);
  agent.destroy();
  return { sent, failed, latencies, most, tookMs: performance.now() - began };
}
