import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Alerts } from '../alerts/alerts.ts';
import type { Instant } from '../instant.ts';
import { canaryJob } from '../job/canary.ts';
import type { Deployed } from '../job/catalog.ts';
import type { Parts } from '../parts.ts';
import type { JobRow } from '../run/job-row.ts';
import { parseRunId, type Run } from '../run/run.ts';
import type { Versioned } from '../store/table.ts';
import { type Caller, demand, type Right, sees } from './caller.ts';
import { ApiProblem, type PlaceError, problemResponse } from './problem.ts';

/** What every route works with. */
export interface Service {
  parts: Parts;
  clock: () => Instant;
  /** What it alerts with, where the parts have none: a command sends nothing by itself. */
  alerts?: () => Promise<Alerts>;
}

export type Env = { Variables: { caller: Caller } };
export type Api = OpenAPIHono<Env>;

/** A part of the API. A request that does not fit its schema is answered before any route sees it. */
export function newApi(): Api {
  return new OpenAPIHono<Env>({
    defaultHook(result, c) {
      if (result.success) return undefined;
      const errors = result.error.issues.map(({ path, message }): PlaceError => {
        return { place: [result.target, ...path].join('.'), expected: message };
      });
      const detail = errors.map(({ place, expected }) => `${place}: ${expected}`).join('; ');
      return problemResponse(c, new ApiProblem('bad-request', detail, errors));
    },
  });
}

/** The caller, who has this right. @throws ApiProblem */
export function callerOf(c: Context<Env>, right: Right): Caller {
  const caller = c.get('caller');
  demand(caller, right);
  return caller;
}

export interface KnownJob {
  name: string;
  /** Undefined: its folder is gone from the repository. */
  deployed: Deployed | undefined;
  /** Undefined: not registered yet. */
  row: Versioned<JobRow> | undefined;
}

/** @throws ApiProblem `no-such-job`, also for one that this caller must not know of */
export async function knownJob({ parts }: Service, caller: Caller, name: string): Promise<KnownJob> {
  const deployed = parts.catalog().get(name);
  const row = await parts.store.jobs.get(name);
  if ((!deployed && !row) || !sees(caller, deployed?.job)) {
    throw new ApiProblem('no-such-job', `expected the name of a job, found "${name}": GET /api/v1/jobs lists them`);
  }
  return { name, deployed, row };
}

/** @throws ApiProblem `no-such-job`, `no-such-run` */
export async function knownRun(
  service: Service,
  caller: Caller,
  job: string,
  name: string,
): Promise<{ job: KnownJob; run: Run; etag: string }> {
  const known = await knownJob(service, caller, job);
  const id = name.startsWith(`${job}.`) ? name.slice(job.length + 1) : name;
  const found = parseRunId(id) ? await service.parts.store.runs.get(job, id) : undefined;
  if (!found) {
    const detail = `expected a run of ${job}, found "${id}": GET /api/v1/jobs/${job}/runs lists them`;
    throw new ApiProblem('no-such-run', detail);
  }
  return { job: known, run: found.value, etag: found.etag };
}

/** Every job that has a folder or a past and that this caller may know of, by name. @param own with the canary */
export async function visibleJobs({ parts }: Service, caller: Caller, own = false): Promise<KnownJob[]> {
  const rows = new Map<string, Versioned<JobRow>>();
  for await (const row of parts.store.jobs.all()) rows.set(row.value.name, row);
  const catalog = parts.catalog();
  return [...new Set([...catalog.keys(), ...rows.keys()])]
    .filter((name) => own || name !== canaryJob)
    .sort()
    .map((name) => ({ name, deployed: catalog.get(name), row: rows.get(name) }))
    .filter(({ deployed }) => sees(caller, deployed?.job));
}
