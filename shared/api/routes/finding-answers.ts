import { createRoute, z } from '@hono/zod-openapi';
import { answer, snooze } from '../../actions/drift.ts';
import { type Finding, answers as words } from '../../drift/finding.ts';
import { day } from '../../instant.ts';
import { type Api, callerOf, knownJob, newApi, type Service, visibleJobs } from '../app.ts';
import type { Caller } from '../caller.ts';
import { ApiProblem } from '../problem.ts';
import { once } from '../request.ts';
import { answers, changes, idempotencyKey, jobParam, whole, why } from '../schema.ts';
import { body } from './actions.ts';
import { findingJson, findingView } from './findings.ts';

/** Findings of a job that are looked through for one. */
const looked = 1_000;
/** A finding that no one wants to hear of for longer is answered instead. */
const longest = 90 * day;

const all = createRoute({
  method: 'get',
  path: '/findings',
  summary: 'Where results of any job moved away from their past, newest first',
  request: {
    query: z.object({
      all: z.enum(['true', 'false']).default('false').openapi({ description: 'Also those that are answered or over' }),
      limit: whole(1, 1_000).default(200),
    }),
  },
  responses: answers(z.object({ items: z.array(findingView) }).openapi('AllFindings')),
});

const params = z.object({ job: jobParam, finding: z.string().regex(/^\d{1,16}$/, 'expected the id of a finding') });

const answerRoute = createRoute({
  method: 'post',
  path: '/jobs/{job}/findings/{finding}/answer',
  summary: 'The owner’s word: expected (the new norm), once (not again), or real (a problem)',
  request: { params, headers: idempotencyKey, body: body(z.strictObject({ answer: z.enum(words), why }), true) },
  responses: changes(findingView),
});

const snoozeRoute = createRoute({
  method: 'post',
  path: '/jobs/{job}/findings/{finding}/snooze',
  summary: 'No reminder of a finding until then, at most 90 days',
  request: {
    params,
    headers: idempotencyKey,
    body: body(z.strictObject({ until: z.iso.datetime({ offset: true }), why }), true),
  },
  responses: changes(findingView),
});

export function findingAnswerRoutes(service: Service): Api {
  const { parts } = service;
  const { drift } = parts.store;

  async function find(caller: Caller, job: string, id: string): Promise<Finding> {
    const { name } = await knownJob(service, caller, job);
    const found = (await drift.findings(name, looked)).find((one) => one.id === id);
    if (found) return found;
    const detail = `expected a finding of ${name}, found "${id}": GET /api/v1/jobs/${name}/findings lists them`;
    throw new ApiProblem('no-such-finding', detail);
  }

  return newApi()
    .openapi(all, async (c) => {
      const jobs = await visibleJobs(service, callerOf(c, 'read'));
      const { all: over, limit } = c.req.valid('query');
      const found: Finding[] = [];
      for (const { name } of jobs) found.push(...(await drift.findings(name, 20)));
      const items = found
        .filter(({ state }) => over === 'true' || state === 'open' || state === 'real')
        .sort((a, b) => b.found - a.found)
        .slice(0, limit);
      return c.json({ items: items.map(findingJson) }, 200);
    })
    .openapi(answerRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const { job, finding: id } = c.req.valid('param');
      const found = await find(caller, job, id);
      const asked = c.req.valid('json');
      const by = { by: caller.name, why: asked.why };
      const done = await once(service, c, caller, asked, async ({ at, token }) =>
        findingJson(await answer(parts, found, asked.answer, by, at, token)),
      );
      return c.json(done, 200);
    })
    .openapi(snoozeRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const { job, finding: id } = c.req.valid('param');
      const found = await find(caller, job, id);
      const asked = c.req.valid('json');
      const until = Date.parse(asked.until);
      const done = await once(service, c, caller, asked, async ({ at, token }) => {
        if (until <= at || until > at + longest) {
          throw new ApiProblem('conflict', `expected as "until" a time within the next 90 days, found ${asked.until}`);
        }
        return findingJson(await snooze(parts, found, until, { by: caller.name, why: asked.why }, at, token));
      });
      return c.json(done, 200);
    });
}
