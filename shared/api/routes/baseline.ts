import { createRoute, z } from '@hono/zod-openapi';
import { pinBaseline, resetBaseline } from '../../actions/drift.ts';
import { learning } from '../../drift/budget.ts';
import type { MetricState } from '../../drift/state.ts';
import { iso } from '../../instant.ts';
import { type Api, callerOf, knownJob, newApi, type Service } from '../app.ts';
import { optional } from '../json.ts';
import { ApiProblem } from '../problem.ts';
import { once } from '../request.ts';
import { answers, changes, idempotencyKey, jobParam, why } from '../schema.ts';
import { time } from '../views.ts';
import { body } from './actions.ts';

const view = z
  .object({
    metric: z.string(),
    kind: z.string(),
    state: z.string().openapi({ description: 'In words: learning, watching, or drifted since a day' }),
    since: time.nullable().openapi({ description: 'The first slot that it is compared with' }),
    runs: z.int(),
    pinnedBy: z.string().nullable(),
    why: z.string().nullable(),
  })
  .openapi('Baseline');

const ofJob = z.object({ job: jobParam });
const metric = z.string().min(1).max(300).optional().openapi({ description: 'Left out: every metric of the job' });

const list = createRoute({
  method: 'get',
  path: '/jobs/{job}/baseline',
  summary: 'What each metric of the job is compared with, and where it stands',
  request: { params: ofJob },
  responses: answers(z.object({ items: z.array(view) }).openapi('Baselines')),
});

const named = z.object({ job: z.string(), metrics: z.array(z.string()) }).openapi('BaselineChanged');

const pin = createRoute({
  method: 'post',
  path: '/jobs/{job}/baseline/pin',
  summary: 'Take the values since an instant as the norm',
  request: {
    params: ofJob,
    headers: idempotencyKey,
    body: body(z.strictObject({ since: z.iso.datetime({ offset: true }), metric, why }), true),
  },
  responses: changes(named),
});

const reset = createRoute({
  method: 'post',
  path: '/jobs/{job}/baseline/reset',
  summary: `Forget the values and learn anew; after ${learning} runs it is watched again`,
  request: { params: ofJob, headers: idempotencyKey, body: body(z.strictObject({ metric, why })) },
  responses: changes(named),
});

export function baselineRoutes(service: Service): Api {
  const { parts } = service;
  const { drift } = parts.store;
  return newApi()
    .openapi(list, async (c) => {
      const { name } = await knownJob(service, callerOf(c, 'read'), c.req.valid('param').job);
      return c.json({ items: (await drift.states(name)).map(stateJson) }, 200);
    })
    .openapi(pin, async (c) => {
      const caller = callerOf(c, 'act');
      const { name } = await knownJob(service, caller, c.req.valid('param').job);
      const order = c.req.valid('json');
      const done = await once(service, c, caller, order, async ({ at, token }) => {
        await demandMetric(name, order.metric);
        const asked = { by: caller.name, why: order.why };
        const metrics = await pinBaseline(parts, name, Date.parse(order.since), order.metric, asked, at, token);
        return { job: name, metrics };
      });
      return c.json(done, 200);
    })
    .openapi(reset, async (c) => {
      const caller = callerOf(c, 'act');
      const { name } = await knownJob(service, caller, c.req.valid('param').job);
      const { metric: one, why: reason = '' } = c.req.valid('json') ?? {};
      const done = await once(service, c, caller, { metric: one, why: reason }, async ({ at, token }) => {
        const metrics = await demandMetric(name, one);
        await resetBaseline(parts, name, one, { by: caller.name, why: reason }, at, token);
        return { job: name, metrics };
      });
      return c.json(done, 200);
    });

  /** @returns those that are meant. @throws ApiProblem when there is none: the audit keeps nothing that was not done */
  async function demandMetric(job: string, one: string | undefined): Promise<string[]> {
    const known = (await drift.states(job)).map((state) => state.metric);
    const meant = known.filter((name) => one === undefined || name === one);
    if (meant.length > 0) return meant;
    const detail =
      one === undefined
        ? `expected a job with metrics that are compared, ${job} has none yet: its first good run brings them`
        : `expected a metric of ${job}, found "${one}": GET /api/v1/jobs/${job}/baseline lists them`;
    throw new ApiProblem('no-such-metric', detail);
  }
}

function stateJson({ metric, kind, points, runs, pinned, drifted }: MetricState): z.infer<typeof view> {
  const standing = drifted
    ? `drifted since ${iso(drifted.since).slice(0, 10)}`
    : runs < learning
      ? `learning (${runs} of ${learning})`
      : 'watching';
  const since = optional(points[0]?.slot);
  return { metric, kind, state: standing, since, runs, pinnedBy: pinned?.by ?? null, why: pinned?.why ?? null };
}
