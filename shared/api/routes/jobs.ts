import { createRoute, z } from '@hono/zod-openapi';
import type { Instant } from '../../instant.ts';
import type { Deployed } from '../../job/catalog.ts';
import { previewOf, slotJson } from '../../run/preview.ts';
import { type Api, callerOf, type KnownJob, knownJob, newApi, type Service, visibleJobs } from '../app.ts';
import { jobJson } from '../json.ts';
import { page, pageOf, pageQuery, readCursor } from '../page.ts';
import { answers, jobParam, whole } from '../schema.ts';
import { time } from '../views.ts';

const jobView = z
  .object({
    job: z.string(),
    description: z.string().nullable(),
    owner: z.object({ email: z.string(), department: z.string() }).nullable(),
    tier: z.string().nullable(),
    status: z
      .string()
      .openapi({ description: 'development, production, decommissioned, or removed: its folder is gone' }),
    schedules: z.array(z.object({ cron: z.string(), timeZone: z.string() })),
    next: time.nullable(),
    paused: z.object({ by: z.string(), why: z.string(), at: time }).nullable(),
    running: z.array(z.string()),
    last: z
      .object({
        run: z.string(),
        state: z.string(),
        slot: time,
        endedAt: time,
        durationMs: z.number().nullable(),
        error: z.string().nullable(),
      })
      .nullable(),
    streak: z.int().openapi({ description: 'Successes in a row, or failures as a negative number' }),
  })
  .openapi('Job');

const slotView = z
  .object({
    job: z.string(),
    utc: time,
    local: z.string(),
    timeZone: z.string(),
    note: z.string().nullable().openapi({ description: 'A clock that changes, arguments, why it will be skipped' }),
  })
  .openapi('Slot');

/** The canary is no one's job: lists leave it out. */
const own = z
  .enum(['true', 'false'])
  .default('false')
  .openapi({ description: 'With the job of Lamplighter itself, the canary' });

const list = createRoute({
  method: 'get',
  path: '/jobs',
  summary: 'All jobs, by name',
  request: { query: z.object({ ...pageQuery, own }) },
  responses: answers(pageOf(jobView, 'Jobs')),
});

const one = createRoute({
  method: 'get',
  path: '/jobs/{job}',
  summary: 'One job; its ETag changes when it is paused, resumed, deployed, or a run of it starts or ends',
  request: { params: z.object({ job: jobParam }) },
  responses: answers(jobView),
});

const coming = z.object({
  count: whole(1, 1_000).default(10),
  after: z.iso.datetime({ offset: true }).optional(),
});
const slotsView = z.object({ items: z.array(slotView) }).openapi('Slots');

const slots = createRoute({
  method: 'get',
  path: '/jobs/{job}/slots',
  summary: 'When the job is expected next',
  request: { params: z.object({ job: jobParam }), query: coming },
  responses: answers(slotsView),
});

const allSlots = createRoute({
  method: 'get',
  path: '/slots',
  summary: 'Which jobs are expected next, and when',
  request: { query: coming },
  responses: answers(slotsView),
});

export function jobRoutes(service: Service): Api {
  const preview = (deployed: readonly Deployed[], { count, after }: z.infer<typeof coming>) => {
    const from = after === undefined ? service.clock() : Date.parse(after);
    const jobs = deployed.map(({ job }) => job);
    return previewOf(jobs, from, count).map(slotJson);
  };

  return newApi()
    .openapi(list, async (c) => {
      const caller = callerOf(c, 'read');
      const { limit, cursor, own } = c.req.valid('query');
      const [after = ''] = readCursor(cursor, 1) ?? [];
      const jobs = (await visibleJobs(service, caller, own === 'true')).filter(({ name }) => name > after);
      const { items, next } = await page(each(jobs), limit, ({ name }) => [name]);
      const now = service.clock();
      return c.json({ items: items.map((job) => view(job, now)), next }, 200);
    })
    .openapi(one, async (c) => {
      const job = await knownJob(service, callerOf(c, 'read'), c.req.valid('param').job);
      if (job.row) c.header('etag', job.row.etag);
      return c.json(view(job, service.clock()), 200);
    })
    .openapi(slots, async (c) => {
      const { deployed } = await knownJob(service, callerOf(c, 'read'), c.req.valid('param').job);
      return c.json({ items: preview(deployed ? [deployed] : [], c.req.valid('query')) }, 200);
    })
    .openapi(allSlots, async (c) => {
      const jobs = await visibleJobs(service, callerOf(c, 'read'));
      const deployed = jobs.flatMap((job) => job.deployed ?? []);
      return c.json({ items: preview(deployed, c.req.valid('query')) }, 200);
    });
}

async function* each<T>(values: T[]): AsyncIterable<T> {
  yield* values;
}

function view({ name, deployed, row }: KnownJob, now: Instant): z.infer<typeof jobView> {
  return jobJson(name, deployed?.job, row?.value, now);
}
