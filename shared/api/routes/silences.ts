import { createRoute, z } from '@hono/zod-openapi';
import { silence, unsilence } from '../../actions/incidents.ts';
import { day, minute } from '../../instant.ts';
import type { Scope, Silence } from '../../store/silences.ts';
import type { Versioned } from '../../store/table.ts';
import { type Api, callerOf, knownJob, newApi, type Service } from '../app.ts';
import { type Caller, sees } from '../caller.ts';
import { silenceJson } from '../json.ts';
import { ApiProblem } from '../problem.ts';
import { matches, once } from '../request.ts';
import { answers, changes, idempotencyKey, jobParam, why } from '../schema.ts';
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

const params = z.object({ silence: z.string().regex(/^[0-9a-f]{1,40}$/, 'expected the id of a silence') });

const oneRoute = createRoute({
  method: 'get',
  path: '/silences/{silence}',
  summary: 'One silence; its ETag is for ending it as it was read',
  request: { params },
  responses: answers(silenceView),
});

const makeRoute = createRoute({
  method: 'post',
  path: '/silences',
  summary: 'Keep alerts of a job, a tag or all back for a time, at most 90 days',
  request: { headers: idempotencyKey, body: body(order, true) },
  responses: changes(silenceView),
});

const endRoute = createRoute({
  method: 'post',
  path: '/silences/{silence}/end',
  summary: 'End a silence early',
  request: { params, headers: idempotencyKey, body: body(z.strictObject({ why })) },
  responses: changes(silenceView),
});

export function silenceRoutes(service: Service): Api {
  const { parts, clock } = service;
  // What is for more than a job of their own is for callers who may know of all.
  const mayKnow = (caller: Caller, { kind, ...rest }: Scope) =>
    sees(caller, kind === 'job' && 'name' in rest ? parts.catalog().get(rest.name)?.job : undefined);
  const isCurrent = (caller: Caller, one: Silence) => one.until > clock() && mayKnow(caller, one.scope);
  const find = async (caller: Caller, id: string): Promise<Versioned<Silence>> => {
    const found = await parts.store.silences.get(id);
    if (found && isCurrent(caller, found.value)) return found;
    throw new ApiProblem('no-such-silence', `expected the id of a silence, found "${id}": GET /silences lists them`);
  };

  return newApi()
    .openapi(listRoute, async (c) => {
      const caller = callerOf(c, 'read');
      const all = await parts.store.silences.current();
      return c.json({ items: all.filter((one) => isCurrent(caller, one)).map(silenceJson) }, 200);
    })
    .openapi(oneRoute, async (c) => {
      const found = await find(callerOf(c, 'read'), c.req.valid('param').silence);
      c.header('etag', found.etag);
      return c.json(silenceJson(found.value), 200);
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
      const done = await once(service, c, caller, asked, async ({ at, token }) => {
        const [from, until] = [asked.from === undefined ? at : Date.parse(asked.from), Date.parse(asked.until)];
        if (!(until >= Math.max(from, at) + minute) || until > Math.max(from, at) + longest) {
          throw new ApiProblem(
            'conflict',
            `expected as "until" a time between a minute and 90 days after the beginning, found ${asked.until}`,
          );
        }
        const by = { by: caller.name, why: asked.why };
        return silenceJson(await silence(parts, asked.scope, { from, until }, by, at, token));
      });
      return c.json(done, 200);
    })
    .openapi(endRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const id = c.req.valid('param').silence;
      const { why: reason = '' } = c.req.valid('json') ?? {};
      const done = await once(service, c, caller, { why: reason }, async ({ at, token, again }) => {
        const ended = (await parts.store.silences.get(id))?.value;
        // By this very request, whose answer was lost.
        if (again && ended?.until === at && mayKnow(caller, ended.scope)) return silenceJson(ended);
        const { value, etag } = await find(caller, id);
        matches(c, etag);
        // Another request that ended it at this moment did the same.
        return silenceJson((await unsilence(parts, id, { by: caller.name, why: reason }, at, token)) ?? value);
      });
      return c.json(done, 200);
    });
}
