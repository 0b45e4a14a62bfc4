import type { Instant } from '../instant.ts';
import type { Job } from '../job/job.ts';
import type { Parts } from '../parts.ts';
import type { Run } from '../run/run.ts';
import type { Alerts } from './alerts.ts';
import { letterOf } from './letters.ts';
import type { Message } from './message.ts';
import { digestMessage, receiptMessage, weekBefore } from './receipt.ts';
import { parcelsOf } from './route.ts';
import { recentRuns } from './see.ts';
import { usualOf } from './usual.ts';

/** A line about each run that succeeded, for jobs that ask for it. Safe to do again: each has one key. */
export async function sendReceipts(parts: Parts, runs: readonly Run[], now: Instant): Promise<void> {
  const job = parts.catalog().get(runs[0]?.job ?? '')?.job;
  if (job?.alerts.receipts !== 'each' || !parts.alerts) return;
  for (const run of runs) {
    if (run.state !== 'succeeded') continue;
    const before = (await recentRuns(parts.store, job.name)).filter(({ id }) => id !== run.id);
    await put(parts, parts.alerts, job, receiptMessage(run, job, usualOf(before), now), now);
  }
}

/** The digest of the week before, for jobs that ask for it: once a week, however often this is called. */
export async function sendDigests(parts: Parts, alerts: Alerts, now: Instant): Promise<void> {
  const { from, to } = weekBefore(now);
  for (const { job } of parts.catalog().values()) {
    if (job.alerts.receipts !== 'weekly' || job.status !== 'production') continue;
    const runs: Run[] = [];
    for await (const { value } of parts.store.runs.list(job.name, { from, to: to - 1, page: 1_000 })) runs.push(value);
    const message = digestMessage(runs, job, now);
    if (message) await put(parts, alerts, job, message, now);
  }
}

async function put({ store }: Parts, alerts: Alerts, job: Job, message: Message, now: Instant): Promise<void> {
  for (const { channel, to } of parcelsOf(job, alerts.settings)) {
    await store.outbox.put(letterOf(message, { channel, to, fallbacks: [], reports: [] }, now));
  }
}
