import { createRoute, z } from '@hono/zod-openapi';
import { backfill, planBackfill } from '../../actions/backfill.ts';
import { cancelBackfill } from '../../actions/cancel-backfill.ts';
import { type Instant, iso } from '../../instant.ts';
import type { Job } from '../../job/job.ts';
import { isFinal, runName } from '../../run/run.ts';
import { countWanted, futureSlot, type Wanted, wantedSlots } from '../../run/wanted.ts';
import { isBackwards, type LocalTime, parseLocalTime } from '../../schedule/local-time.ts';
import { type Api, callerOf, knownJob, newApi, type Service } from '../app.ts';
import type { Caller } from '../caller.ts';
import { ApiProblem } from '../problem.ts';
import { once } from '../request.ts';
import { changes, idempotencyKey, jobParam, why } from '../schema.ts';
import { time } from '../views.ts';
import { args, body, runnable } from './actions.ts';

/** More runs than this in one request are asked for in several. */
const mostSlots = 1_000;
/** A range with more slots than this is not looked through. */
const mostLooked = 10 * mostSlots;

const dayOrTime = z
  .union([z.iso.datetime({ offset: true, local: true }), z.iso.date()])
  .openapi({ description: 'A day or a time without an offset is on the clock of each schedule' });
const common = { args, why, dryRun: z.boolean().default(false) };

const asked = z.union([
  z.strictObject({ from: dayOrTime, to: dayOrTime, ...common }),
  z.strictObject({
    dates: z.array(z.iso.date()).min(1).max(mostSlots).openapi({ description: 'Days, on or off the schedule' }),
    ...common,
  }),
]);

const backfilled = z
  .object({
    job: z.string(),
    dryRun: z.boolean(),
    slots: z.array(time).openapi({ description: 'Slots that have no good run yet' }),
    runs: z.array(z.string()).openapi({ description: 'What was queued' }),
    done: z.int().openapi({ description: 'Slots that succeeded or are under way already' }),
    timeZone: z.string().openapi({ description: 'Of the first schedule' }),
    concurrency: z.int().openapi({ description: 'How many run at once' }),
  })
  .openapi('Backfill');

const backfillRoute = createRoute({
  method: 'post',
  path: '/jobs/{job}/backfill',
  summary: `One run for each past slot that has not succeeded yet, at most ${mostSlots}; a dry run shows up to ${mostLooked}`,
  request: { params: z.object({ job: jobParam }), headers: idempotencyKey, body: body(asked, true) },
  responses: changes(backfilled),
});

const cancelled = z
  .object({
    job: z.string(),
    cancelled: z.array(z.string()),
    ending: z.array(z.string()).openapi({ description: 'Those that ran, and are being ended' }),
  })
  .openapi('BackfillCancelled');

const cancelRoute = createRoute({
  method: 'post',
  path: '/jobs/{job}/backfill/cancel',
  summary: 'Cancel every run of the job’s backfills that is not over',
  request: { params: z.object({ job: jobParam }), headers: idempotencyKey, body: body(z.strictObject({ why })) },
  responses: changes(cancelled),
});

export function backfillRoutes(service: Service): Api {
  const { parts } = service;
  return newApi()
    .openapi(backfillRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const order = c.req.valid('json');
      const job = runnable(await knownJob(service, caller, c.req.valid('param').job));
      return c.json(await once(service, c, caller, order, ({ at }) => ask(caller, job, order, at)), 200);
    })
    .openapi(cancelRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const { name } = await knownJob(service, caller, c.req.valid('param').job);
      const { why: reason = '' } = c.req.valid('json') ?? {};
      const done = await once(service, c, caller, { why: reason }, async ({ at }) => {
        const runs = await cancelBackfill(parts, name, { by: caller.name, why: reason }, at);
        const named = (over: boolean) => runs.filter(({ state }) => isFinal(state) === over).map(runName);
        return { job: name, cancelled: named(true), ending: named(false) };
      });
      return c.json(done, 200);
    });

  async function ask(caller: Caller, job: Job, order: z.infer<typeof asked>, now: Instant) {
    const [first] = job.schedules;
    if (!first)
      throw new ApiProblem('conflict', `expected a job with a schedule, ${job.name} has none: run it instead`);
    const { timeZone } = first.schedule;
    const meant = wantedOf(order, timeZone);
    const future = futureSlot(job, meant, now);
    if (future !== undefined) {
      throw new ApiProblem(
        'conflict',
        `expected as "to" an instant that is past, ${iso(future)} has not come yet: a backfill is for the past`,
      );
    }
    const most = countWanted(job, meant);
    if (most > mostLooked) throw tooMany(most, mostLooked);
    const wanted = wantedSlots(job, meant);
    const slots = await planBackfill(parts, job.name, wanted);
    if (!order.dryRun && slots.length > mostSlots) throw tooMany(slots.length, mostSlots);
    const by = { by: caller.name, why: order.why };
    const runs = order.dryRun ? [] : await backfill(parts, job.name, slots, order.args, by, now);
    const { name, concurrency } = job;
    const facts = { slots: slots.map(iso), runs: runs.map(runName), done: wanted.length - slots.length };
    return { job: name, dryRun: order.dryRun, ...facts, timeZone, concurrency };
  }
}

function wantedOf(order: z.infer<typeof asked>, timeZone: string): Wanted {
  if ('dates' in order) {
    const early = order.dates.find((date) => date < '1970');
    if (early !== undefined) throw new ApiProblem('conflict', `expected a day since 1970, found ${early}`);
    return { dates: order.dates };
  }
  const [from, to] = [timeOf(order.from), timeOf(order.to)];
  if (isBackwards(from, to, timeZone)) {
    throw new ApiProblem('conflict', `expected as "from" a time before ${order.to}, found ${order.from}`);
  }
  return { from, to };
}

/** Seconds may have any fraction here; slots have none. */
function timeOf(text: string): LocalTime {
  const time = parseLocalTime(text.replace(/\.\d+/, ''));
  if (!time) throw new ApiProblem('conflict', `expected a day or time of the calendar, found ${text}`);
  return time;
}

function tooMany(slots: number, most: number): ApiProblem {
  return new ApiProblem('conflict', `expected a range of at most ${most} slots, found ${slots}: ask in parts`);
}
