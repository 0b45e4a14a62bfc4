import { createRoute, z } from '@hono/zod-openapi';
import { type Run, type RunState, runName, runStates } from '../../run/run.ts';
import { type Api, callerOf, knownJob, knownRun, newApi, type Service, visibleJobs } from '../app.ts';
import { type RunFilter, runsOf } from '../history.ts';
import { runJson } from '../json.ts';
import { meantRun } from '../meant.ts';
import { page, pageOf, pageQuery, readCursor } from '../page.ts';
import { ApiProblem } from '../problem.ts';
import { answers, jobParam, runParam, whole } from '../schema.ts';
import { runView } from '../views.ts';

const anyState = `(${runStates.join('|')})`;

const filterQuery = z.object({
  ...pageQuery,
  state: z
    .string()
    .max(200)
    .regex(new RegExp(`^${anyState}(,${anyState})*$`), `expected states joined by commas: ${runStates.join(', ')}`)
    .optional()
    .openapi({ description: `One or more, joined by commas: ${runStates.join(', ')}`, example: 'failed,timed-out' }),
  since: z.iso.datetime({ offset: true }).optional().openapi({ description: 'Slots from here on' }),
  until: z.iso.datetime({ offset: true }).optional().openapi({ description: 'Slots up to here' }),
});

const runsPage = pageOf(runView, 'Runs');

const all = createRoute({
  method: 'get',
  path: '/runs',
  summary: 'Runs of all jobs, newest slot first',
  request: { query: filterQuery },
  responses: answers(runsPage),
});

const ofJob = createRoute({
  method: 'get',
  path: '/jobs/{job}/runs',
  summary: 'Runs of one job, newest slot first',
  request: {
    params: z.object({ job: jobParam }),
    query: filterQuery.extend({
      kind: z.enum(['run', 'replay']).default('run').openapi({
        description: '`replay`: those on frozen examples, which the service starts and which fill no slot',
      }),
    }),
  },
  responses: answers(runsPage),
});

const one = createRoute({
  method: 'get',
  path: '/jobs/{job}/runs/{run}',
  summary: 'One run; its ETag changes with its state',
  request: { params: z.object({ job: jobParam, run: runParam }) },
  responses: answers(runView),
});

const latest = createRoute({
  method: 'get',
  path: '/jobs/{job}/latest-run',
  summary: 'The run that people mean by the name of its job: the one under way, else the one that started last',
  request: { params: z.object({ job: jobParam }) },
  responses: answers(runView),
});

const log = createRoute({
  method: 'get',
  path: '/jobs/{job}/runs/{run}/attempts/{attempt}/log',
  summary: 'A part of an attempt’s log, as the shim writes it',
  description:
    'Ask again from `X-Next-Offset` until `X-Log-Complete` is `true`: that follows a live log. It is asked for in parts ' +
    'because the Functions host and a socket can both answer a request, and only one of them can keep a stream open.',
  request: {
    params: z.object({
      job: jobParam,
      run: runParam,
      attempt: whole(1, 1_000),
    }),
    query: z.object({
      offset: whole(0, Number.MAX_SAFE_INTEGER).default(0),
    }),
  },
  responses: {
    ...answers(z.object({})),
    200: {
      description: 'Bytes of the log from `offset`, at most 4 MiB; empty when there are none yet',
      headers: z.object({
        'X-Next-Offset': z.string().openapi({ description: 'Where the next part begins' }),
        'X-Log-Complete': z.enum(['true', 'false']).openapi({ description: 'Whether nothing will be added' }),
      }),
      content: { 'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) } },
    },
  },
});

export function runRoutes(service: Service): Api {
  const { store } = service.parts;
  const answer = async (
    jobs: string[] | undefined,
    query: z.infer<typeof filterQuery>,
    kind: 'run' | 'replay' = 'run',
  ) => {
    const { items, next } = await page(runsOf(store, jobs, filterOf(query), kind), query.limit, keyOf);
    return { items: items.map(runJson), next };
  };

  return newApi()
    .openapi(all, async (c) => {
      const caller = callerOf(c, 'read');
      // Who may know of all jobs need not have them listed first.
      const jobs = caller.departments === null ? undefined : await visibleJobs(service, caller);
      const names = jobs?.map(({ name }) => name);
      return c.json(await answer(names, c.req.valid('query')), 200);
    })
    .openapi(ofJob, async (c) => {
      const { name } = await knownJob(service, callerOf(c, 'read'), c.req.valid('param').job);
      const { kind, ...query } = c.req.valid('query');
      return c.json(await answer([name], query, kind), 200);
    })
    .openapi(one, async (c) => {
      const { job, run } = c.req.valid('param');
      const found = await knownRun(service, callerOf(c, 'read'), job, run);
      c.header('etag', found.etag);
      return c.json(runJson(found.run), 200);
    })
    .openapi(latest, async (c) => {
      const { name } = await knownJob(service, callerOf(c, 'read'), c.req.valid('param').job);
      const run = await meantRun(store, name);
      if (!run) throw new ApiProblem('no-such-run', `expected a job that has run, ${name} has not run yet`);
      const found = await knownRun(service, callerOf(c, 'read'), name, run.id);
      c.header('etag', found.etag);
      return c.json(runJson(found.run), 200);
    })
    .openapi(log, async (c) => {
      const { job, run: name, attempt } = c.req.valid('param');
      // The state first: what is written until then is in the log that is read next.
      const { run } = await knownRun(service, callerOf(c, 'read'), job, name);
      if (attempt > run.attempts.length) {
        const detail = `expected 1 to ${run.attempts.length}, the attempts of ${runName(run)} so far, found ${attempt}`;
        throw new ApiProblem('no-such-attempt', detail);
      }
      const { offset } = c.req.valid('query');
      const bytes = await read(service, { job, run: run.id, attempt }, offset);
      c.header('x-next-offset', String(offset + bytes.length));
      c.header('x-log-complete', String(bytes.length === 0 && isOver(run, attempt)));
      c.header('content-type', 'application/octet-stream');
      c.header('x-content-type-options', 'nosniff');
      return c.body(new Uint8Array(bytes), 200);
    });
}

/** A short log lies in the result instead of a blob of its own. */
async function read({ parts }: Service, id: { job: string; run: string; attempt: number }, offset: number) {
  const { attempts } = parts.store;
  const bytes = await attempts.log(id, offset);
  if (bytes) return bytes;
  const short = Buffer.from((await attempts.result(id))?.log.text ?? '');
  return short.subarray(offset);
}

function isOver({ state, attempts }: Run, attempt: number): boolean {
  const active: readonly RunState[] = ['queued', 'starting', 'running'];
  return attempts.length > attempt || !active.includes(state);
}

function filterOf({ state, since, until, cursor }: z.infer<typeof filterQuery>): RunFilter {
  const [slot, job, id] = readCursor(cursor, 3) ?? [];
  return {
    states: statesOf(state),
    since: since === undefined ? undefined : Date.parse(since),
    until: until === undefined ? undefined : Date.parse(until),
    after: slot !== undefined && job !== undefined && id !== undefined ? { slot: Number(slot), job, id } : undefined,
  };
}

function keyOf({ slot, job, id }: Run): string[] {
  return [String(slot), job, id];
}

function statesOf(text: string | undefined): ReadonlySet<RunState> | undefined {
  return text === undefined ? undefined : new Set(text.split(',') as RunState[]);
}
