import { createRoute, z } from '@hono/zod-openapi';
import { silence, unsilence } from '../../actions/incidents.ts';
import { day, minute } from '../../instant.ts';
import type { Scope, Silence } from '../../store/silences.ts';
import { type Api, callerOf, knownJob, newApi, type Service } from '../app.ts';
import { type Caller, sees } from '../caller.ts';
import { silenceJson } from '../json.ts';
import { ApiProblem } from '../problem.ts';
import { answers, changes, jobParam, why } from '../schema.ts';
import { time } from '../views.ts';
import { body } from './actions.ts';

const tag = z
  .string()
  .max(200)
  .regex(/^(tier|department|owner):[^\p{Cc}]+$/u, 'expected tier:critical, department:Sales or owner:dana@contoso.com')
  .openapi({ type: 'string', pattern: '^(tier|department|owner):[ -~]+$', example: 'department:Sales' });

const scope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all') }),
  z.strictObject({ kind: z.literal('job'), name: jobParam }),
  z.strictObject({ kind: z.literal('tag'), name: tag }),
]);

const silenceView = z
  .object({ id: z.string(), scope, from: time, until: time, by: z.string(), why: z.string() })
  .openapi('Silence');

/** Who wants to be quiet for longer has a job that should be paused, or an alert that should be changed. */
const longest = 90 * day;

const instant = z.iso.datetime({ offset: true });
const order = z.strictObject({
  scope,
  from: instant.optional().openapi({ description: 'Left out: from now on' }),
  until: instant,
  why: why
    .pipe(z.string().min(1))
    .openapi({ description: 'The reason, for the audit', minLength: 1, maxLength: 2_000 }),
});

const listRoute = createRoute({
  method: 'get',
  path: '/silences',
  summary: 'Whose alerts are kept back, now or later',
  responses: answers(z.object({ items: z.array(silenceView) }).openapi('Silences')),
});

const makeRoute = createRoute({
  method: 'post',
  path: '/silences',
  summary: 'Keep alerts of a job, a tag or all back for a time, at most 90 days',
  request: { body: body(order, true) },
  responses: changes(silenceView),
});

const endRoute = createRoute({
  method: 'post',
  path: '/silences/{silence}/end',
  summary: 'End a silence early',
  request: {
    params: z.object({ silence: z.string().regex(/^[0-9a-f]{1,40}$/, 'expected the id of a silence') }),
    body: body(z.strictObject({ why })),
  },
  responses: changes(silenceView),
});

export function silenceRoutes(service: Service): Api {
  const { parts, clock } = service;
  // What is for more than a job of their own is for callers who may know of all.
  const mayKnow = (caller: Caller, { kind, ...rest }: Scope) =>
    sees(caller, kind === 'job' && 'name' in rest ? parts.catalog().get(rest.name)?.job : undefined);
  const current = async (caller: Caller): Promise<Silence[]> =>
    (await parts.store.silences.current()).filter((one) => one.until > clock() && mayKnow(caller, one.scope));

  return newApi()
    .openapi(listRoute, async (c) => {
      return c.json({ items: (await current(callerOf(c, 'read'))).map(silenceJson) }, 200);
    })
    .openapi(makeRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const asked = c.req.valid('json');
      if (asked.scope.kind === 'job') await knownJob(service, caller, asked.scope.name);
      if (!mayKnow(caller, asked.scope)) {
        throw new ApiProblem(
          'not-allowed',
          `expected a role for all departments: silence each job of yours by its name`,
        );
      }
      const now = clock();
      const [from, until] = [asked.from === undefined ? now : Date.parse(asked.from), Date.parse(asked.until)];
      if (!(until >= Math.max(from, now) + minute) || until > Math.max(from, now) + longest) {
        throw new ApiProblem(
          'conflict',
          `expected as "until" a time between a minute and 90 days after the beginning, found ${asked.until}`,
        );
      }
      const by = { by: caller.name, why: asked.why };
      return c.json(silenceJson(await silence(parts, asked.scope, { from, until }, by, now)), 200);
    })
    .openapi(endRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const id = c.req.valid('param').silence;
      const known = (await current(caller)).find((one) => one.id === id);
      const asked = { by: caller.name, why: c.req.valid('json')?.why ?? '' };
      const ended = known && (await unsilence(parts, id, asked, clock()));
      if (!ended) {
        throw new ApiProblem(
          'no-such-silence',
          `expected the id of a silence, found "${id}": GET /silences lists them`,
        );
      }
      return c.json(silenceJson(ended), 200);
    });
}
