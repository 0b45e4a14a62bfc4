import type { Instant } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { resolved } from './incident.ts';
import { amend, record } from './see.ts';

/** A secret that needs a person: one incident for each job that uses it, reported together. */
export async function seeSecret({ store, catalog }: Parts, secret: string, jobs: string[], text: string, now: Instant) {
  for (const name of jobs) {
    const job = catalog().get(name)?.job;
    if (job?.status !== 'production') continue;
    const group = `v1|secret|${secret}`;
    await record(store, { job: name, cause: 'secret', subject: secret, tier: job.tier, text, group }, now);
  }
}

/** Ends the incidents of secrets that are well. @param ill those that are not */
export async function secretsAreWell({ store }: Parts, ill: ReadonlySet<string>, now: Instant): Promise<void> {
  for await (const { value } of store.incidents.open()) {
    if (value.cause !== 'secret' || value.state === 'resolved' || ill.has(value.subject)) continue;
    await amend(store, value, (incident) => resolved(incident, now));
  }
}
