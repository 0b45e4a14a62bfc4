import { createRoute, z } from '@hono/zod-openapi';
import { serviceAudit } from '../../actions/clock.ts';
import { type Instant, iso } from '../../instant.ts';
import type { JobEvent } from '../../run/job-event.ts';
import { mostNames } from '../../store/metrics.ts';
import type { Store } from '../../store/store.ts';
import { type Api, callerOf, knownJob, newApi, type Service, visibleJobs } from '../app.ts';
import { sees } from '../caller.ts';
import { eventJson } from '../json.ts';
import { pageOf } from '../page.ts';
import { answers, jobParam, whole } from '../schema.ts';
import { eventView, time } from '../views.ts';

const point = z
  .object({
    run: z.string(),
    slot: time,
    trigger: z.string(),
    state: z.string(),
    value: z.union([z.number(), z.record(z.string(), z.number())]),
  })
  .openapi('MetricPoint');

const names = createRoute({
  method: 'get',
  path: '/jobs/{job}/metrics',
  summary: `The names of the metrics that the job has had, at most ${mostNames.toLocaleString('en-GB')}`,
  request: { params: z.object({ job: jobParam }) },
  responses: answers(z.object({ items: z.array(z.string()) }).openapi('MetricNames')),
});

const points = createRoute({
  method: 'get',
  path: '/jobs/{job}/metrics/{metric}',
  summary: 'One metric, newest slot first',
  request: {
    params: z.object({ job: jobParam, metric: z.string().min(1).max(300) }),
    query: z.object({
      limit: whole(1, 1_000).default(100),
      before: z.iso.datetime({ offset: true }).optional().openapi({ description: 'Slots before this instant' }),
    }),
  },
  responses: answers(z.object({ items: z.array(point) }).openapi('MetricPoints')),
});

const eventsQuery = z.object({
  limit: whole(1, 5_000).default(50),
  since: z.iso.datetime({ offset: true }).optional(),
});

const allEvents = createRoute({
  method: 'get',
  path: '/events',
  summary: 'Who did what to any job, or to the service, when and why; newest first',
  request: { query: eventsQuery },
  responses: answers(z.object({ items: z.array(eventView) }).openapi('AllAuditEvents')),
});

const events = createRoute({
  method: 'get',
  path: '/jobs/{job}/events',
  summary: 'Who did what to the job, when and why; newest first',
  request: {
    params: z.object({ job: jobParam }),
    query: eventsQuery,
  },
  responses: answers(pageOf(eventView, 'AuditEvents')),
});

export function recordRoutes(service: Service): Api {
  const { store } = service.parts;
  return newApi()
    .openapi(names, async (c) => {
      const { name } = await knownJob(service, callerOf(c, 'read'), c.req.valid('param').job);
      return c.json({ items: (await store.metrics.names(name)).sort() }, 200);
    })
    .openapi(points, async (c) => {
      const { job, metric } = c.req.valid('param');
      const { name } = await knownJob(service, callerOf(c, 'read'), job);
      const { limit, before } = c.req.valid('query');
      const found = await store.metrics.list(
        name,
        metric,
        limit,
        before === undefined ? undefined : Date.parse(before),
      );
      const items = found.map(({ run, slot, trigger, state, value }) => {
        return { run: `${name}.${run}`, slot: iso(slot), trigger, state, value };
      });
      return c.json({ items }, 200);
    })
    .openapi(allEvents, async (c) => {
      const caller = callerOf(c, 'read');
      const { limit, since } = c.req.valid('query');
      const from = since === undefined ? 0 : Date.parse(since);
      const names = (await visibleJobs(service, caller)).map(({ name }) => name);
      // What was done to the service concerns all departments.
      if (sees(caller, undefined)) names.push(serviceAudit);
      const items: JobEvent[] = [];
      for (const name of names) items.push(...(await newest(store, name, from, limit)));
      return c.json(
        {
          items: items
            .toSorted((a, b) => b.at - a.at)
            .slice(0, limit)
            .map(eventJson),
        },
        200,
      );
    })
    .openapi(events, async (c) => {
      const { name } = await knownJob(service, callerOf(c, 'read'), c.req.valid('param').job);
      const { limit, since } = c.req.valid('query');
      const from = since === undefined ? 0 : Date.parse(since);
      const items = await newest(store, name, from, limit);
      return c.json({ items: items.map(eventJson), next: null }, 200);
    });
}

async function newest({ events }: Store, job: string, from: Instant, limit: number): Promise<JobEvent[]> {
  const found: JobEvent[] = [];
  for await (const event of events.list(job)) {
    if (event.at < from) break;
    found.push(event);
    if (found.length === limit) break;
  }
  return found;
}
