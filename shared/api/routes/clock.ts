import { createRoute, z } from '@hono/zod-openapi';
import { confirmClock } from '../../actions/clock.ts';
import { iso } from '../../instant.ts';
import { checkClock } from '../../pipeline/clock.ts';
import { type Api, callerOf, newApi, type Service } from '../app.ts';
import { sees } from '../caller.ts';
import { optional } from '../json.ts';
import { ApiProblem } from '../problem.ts';
import { once } from '../request.ts';
import { answers, changes, idempotencyKey, why } from '../schema.ts';
import { time } from '../views.ts';
import { body } from './actions.ts';

const view = z
  .object({
    here: time.openapi({ description: 'The clock of the host that answers' }),
    store: time,
    lastTick: time.nullable(),
    claimedUntil: time.nullable(),
    wrong: z
      .string()
      .nullable()
      .openapi({ description: 'Why the host does not go by its clock; null: the clocks agree' }),
    behind: z.record(z.string(), time).openapi({ description: 'Jobs that could not be claimed as far as the others' }),
  })
  .openapi('Clock');

const look = createRoute({
  method: 'get',
  path: '/clock',
  summary: 'The clocks that the service goes by, and how far slots are claimed',
  responses: answers(view),
});

const confirm = createRoute({
  method: 'post',
  path: '/clock/confirm',
  summary: 'Say that the clock of the host that answers is right, for an hour; for admins',
  request: { headers: idempotencyKey, body: body(z.strictObject({ why })) },
  responses: changes(view),
});

export function clockRoutes(service: Service): Api {
  const { parts, clock } = service;
  async function clocks(all: boolean) {
    const now = clock();
    const progress = await parts.store.marks.progress();
    const store = await parts.store.time();
    const wrong = await checkClock(parts, now, progress).then(
      () => null,
      (error: Error) => error.message,
    );
    const behind = [...progress.behind].filter(() => all).map(([job, at]) => [job, iso(at)]);
    return {
      here: iso(now),
      store: iso(store),
      lastTick: optional(progress.heartbeat),
      claimedUntil: optional(progress.cursor?.value.at),
      wrong,
      behind: Object.fromEntries(behind) as Record<string, string>,
    };
  }

  return newApi()
    .openapi(look, async (c) => c.json(await clocks(sees(callerOf(c, 'read'), undefined)), 200))
    .openapi(confirm, async (c) => {
      const caller = callerOf(c, 'administer');
      if (!sees(caller, undefined)) {
        throw new ApiProblem('not-allowed', 'expected a role for all departments: the clock is that of all jobs');
      }
      const { why: reason = '' } = c.req.valid('json') ?? {};
      const done = await once(service, c, caller, { why: reason }, async ({ at, token }) => {
        await confirmClock(parts, { by: caller.name, why: reason }, at, token);
        return clocks(true);
      });
      return c.json(done, 200);
    });
}
