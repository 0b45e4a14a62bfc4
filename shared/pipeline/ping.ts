import { randomBytes, randomUUID } from 'node:crypto';
import type { Instant } from '../instant.ts';
import type { Deployed } from '../job/catalog.ts';
import type { Parts } from '../parts.ts';
import { choose, outside, type PingKind, type Report, resultOf } from '../run/outside.ts';
import { currentAttempt, isFinal, newAttempt, newRun, type Run, runId } from '../run/run.ts';
import type { Versioned } from '../store/table.ts';
import { entryOf } from './claim.ts';
import { finish } from './finish.ts';

/** Runs looked through for the one that a ping means, besides those under way. */
const newest = 100;
/** More under way than this is not looked through. */
const mostUnderWay = 200;
/** Another host may change the run each time; then the caller sends its ping again. */
const mostTries = 8;

/**
 * What a ping of an external job says, made so: a run begins, or ends. Sent twice, or to two hosts at once, it is done
 * once. @returns the run that it is about. @throws what the store throws: send it again
 */
export async function ping(
  parts: Parts,
  deployed: Deployed,
  kind: PingKind,
  report: Report,
  now: Instant,
): Promise<Run> {
  const { job } = deployed;
  for (let tried = 0; tried < mostTries; tried += 1) {
    const runs = await candidates(parts, job.name);
    const choice = choose(
      [...runs.values()].map(({ value }) => value),
      kind,
      report.name,
      now,
    );
    if (choice.do === 'nothing') return choice.run;
    if (choice.do === 'end' && kind !== 'start') return endRun(parts, choice.run, kind, report, now);
    const found = choice.do === 'begin' ? runs.get(choice.run.id) : undefined;
    const begun = await begin(parts, deployed, found, report.name, now);
    if (begun) return kind === 'start' ? begun : endRun(parts, begun, kind, report, now);
  }
  throw new Error(`runs of ${job.name} change too fast for a ping`);
}

async function candidates({ store }: Parts, job: string): Promise<Map<string, Versioned<Run>>> {
  const runs = new Map<string, Versioned<Run>>();
  for await (const one of store.runs.list(job, { page: newest })) {
    runs.set(one.value.id, one);
    if (runs.size === newest) break;
  }
  let underWay = 0;
  for await (const { value } of store.active.ofJob(job, mostUnderWay)) {
    if (++underWay > mostUnderWay) break;
    const found = runs.has(value.run) ? undefined : await store.runs.get(job, value.run);
    if (found) runs.set(found.value.id, found);
  }
  return runs;
}

/** Undefined: another host has changed it meanwhile. @param found the slot's run; undefined: one of its own is made */
async function begin(
  parts: Parts,
  deployed: Deployed,
  found: Versioned<Run> | undefined,
  name: string | null,
  now: Instant,
): Promise<Run | undefined> {
  const { store, emit } = parts;
  const run = running(found?.value ?? (await ownRun(parts, deployed.job.name, name, now)), deployed, name, now);
  if (!found) await store.active.insert(entryOf(run, now));
  const written = found ? await store.runs.replace(run, found.etag) : await store.runs.insert(run);
  if (!written) return undefined;
  if (!found) emit({ type: 'run-claimed', run });
  await hold(parts, run);
  emit({ type: 'attempt-started', run });
  return run;
}

/** Named by what the caller calls it, so that two hosts that get its first ping make the same run. */
async function ownRun({ store }: Parts, job: string, name: string | null, now: Instant): Promise<Run> {
  const token = randomBytes(4).toString('hex');
  const first = { caller: `ping ${job}`, asked: 'ping', at: now, token };
  const { at, token: unique } = name === null ? first : await store.requests.first({ ...first, key: name });
  const slot = Math.floor(at / 1_000) * 1_000;
  const asked = { by: outside, why: name ?? '' };
  return newRun(job, slot, 'manual', now, { id: runId(slot, 'manual', unique), asked });
}

function running(run: Run, { job, bundle, lock, commit }: Deployed, name: string | null, now: Instant): Run {
  const versions = { bundle, commit, lock, image: null, python: null, secrets: {} };
  const attempt = newAttempt(run.attempts.length + 1, outside, now, {
    state: 'running',
    handle: name,
    limitMs: job.timeoutMs,
    starter: randomUUID().slice(0, 13),
    versions,
  });
  return { ...run, state: 'running', reason: null, reasonCode: null, attempts: [...run.attempts, attempt], versions };
}

/** Its job shows it as under way, and counts it when it ends. */
async function hold({ store }: Parts, { job, id, trigger }: Run): Promise<void> {
  await store.jobs.amend(job, (row) =>
    row.running.some(({ run }) => run === id) ? undefined : { ...row, running: [...row.running, { run: id, trigger }] },
  );
}

/** First what it leaves, which decides: should this host die then, the watch ends the run by it. */
async function endRun(parts: Parts, run: Run, kind: 'success' | 'fail', report: Report, now: Instant): Promise<Run> {
  const id = { job: run.job, run: run.id, attempt: run.attempts.length };
  if (!isFinal(run.state)) await hold(parts, run);
  await parts.store.attempts.leave(id, resultOf(run, kind, report, now));
  await finish(parts, id, now);
  const after = (await parts.store.runs.get(run.job, run.id))?.value;
  return after && currentAttempt(after)?.executor === outside ? after : run;
}
