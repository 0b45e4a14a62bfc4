import type { Instant } from '../instant.ts';
import type { Scope, Silence } from '../store/silences.ts';

/** What a silence can be about: a job, or null: the service itself. */
export interface Subject {
  job: string | null;
  tags: readonly string[];
}

/** The silence that holds for a subject now and ends last; undefined: it may be heard. */
export function silencedBy(silences: readonly Silence[], subject: Subject, now: Instant): Silence | undefined {
  return silences
    .filter((one) => one.from <= now && now < one.until && covers(one.scope, subject))
    .toSorted((a, b) => b.until - a.until)[0];
}

function covers(scope: Scope, { job, tags }: Subject): boolean {
  switch (scope.kind) {
    case 'all':
      return true;
    case 'job':
      return scope.name === job;
    case 'tag':
      return tags.includes(scope.name);
  }
}

/** What a job is called in silences, besides its name: `tier:critical`, `department:Sales`, `owner:dana@contoso.com`. */
export function tagsOf(job: { tier: string; owner: { email: string; department: string } }): string[] {
  return [`tier:${job.tier}`, `department:${job.owner.department}`, `owner:${job.owner.email}`];
}
