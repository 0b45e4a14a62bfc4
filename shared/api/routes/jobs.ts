import { createRoute, z } from '@hono/zod-openapi';
import { type Instant, iso } from '../../instant.ts';
import { localText, nextSlots } from '../../schedule/schedule.ts';
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

const slotView = z.object({ utc: time, local: z.string(), timeZone: z.string() }).openapi('Slot');

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

const slots = createRoute({
  method: 'get',
  path: '/jobs/{job}/slots',
  summary: 'When the job is expected next',
  request: {
    params: z.object({ job: jobParam }),
    query: z.object({
      count: whole(1, 1_000).default(10),
      after: z.iso.datetime({ offset: true }).optional(),
    }),
  },
  responses: answers(z.object({ items: z.array(slotView) }).openapi('Slots')),
});

export function jobRoutes(service: Service): Api {
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
      const { count, after } = c.req.valid('query');
      const from = after === undefined ? service.clock() : Date.parse(after);
      const schedules = deployed && deployed.job.status !== 'decommissioned' ? deployed.job.schedules : [];
      const items = schedules
        .flatMap(({ schedule }) => nextSlots(schedule, from, count).map((at) => ({ at, timeZone: schedule.timeZone })))
        .sort((a, b) => a.at - b.at)
        .slice(0, count)
        .map(({ at, timeZone }) => ({ utc: iso(at), local: localText(timeZone, at), timeZone }));
      return c.json({ items }, 200);
    });
}

async function* each<T>(values: T[]): AsyncIterable<T> {
  yield* values;
}

function view({ name, deployed, row }: KnownJob, now: Instant): z.infer<typeof jobView> {
  return jobJson(name, deployed?.job, row?.value, now);
}
