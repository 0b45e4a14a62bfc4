import { createRoute, z } from '@hono/zod-openapi';
import { acknowledge, isEnded, isTaken, resolve } from '../../actions/incidents.ts';
import { causes, type Incident, severities } from '../../store/incidents.ts';
import type { Versioned } from '../../store/table.ts';
import { type Api, callerOf, newApi, type Service } from '../app.ts';
import { type Caller, sees } from '../caller.ts';
import { incidentJson } from '../json.ts';
import { ApiProblem } from '../problem.ts';
import { type Asking, type First, matches, once } from '../request.ts';
import { answers, changes, idempotencyKey, jobParam, whole, why } from '../schema.ts';
import { time } from '../views.ts';

const incidentView = z
  .object({
    id: z.string(),
    job: z.string().nullable().openapi({ description: 'Null: the service itself' }),
    cause: z.enum(causes),
    subject: z.string().openapi({ description: 'Name of the secret, metric, output or channel, else empty' }),
    state: z.enum(['open', 'acknowledged', 'resolved']),
    severity: z.enum(severities),
    tier: z.string(),
    text: z.string(),
    errorClass: z.string().nullable(),
    since: time,
    openedAt: time,
    lastAt: time,
    resolvedAt: time.nullable(),
    reportedAt: time.nullable(),
    times: z.int(),
    flaps: z.int(),
    run: z.string().nullable(),
    acknowledged: z.object({ by: z.string(), why: z.string(), at: time }).nullable(),
  })
  .openapi('Incident');

const idParam = z
  .string()
  .max(200)
  .regex(/^[0-9a-z().-]+$/, 'expected the id of an incident as the list has it');

const listRoute = createRoute({
  method: 'get',
  path: '/incidents',
  summary: 'What is wrong now, and what was good again within the last day; with past=true what was wrong before, too',
  request: {
    query: z.object({
      job: jobParam.optional(),
      state: z.enum(['open', 'acknowledged', 'resolved']).optional(),
      past: z.enum(['true', 'false']).default('false'),
      limit: whole(1, 1_000).default(200),
    }),
  },
  responses: answers(z.object({ items: z.array(incidentView) }).openapi('Incidents')),
});

const params = z.object({ incident: idParam });

const oneRoute = createRoute({
  method: 'get',
  path: '/incidents/{incident}',
  summary:
    'One incident that is open or was within the last day; its ETag changes when it is seen again, taken or over',
  request: { params },
  responses: answers(incidentView),
});

const changeRoute = (path: string, summary: string) =>
  createRoute({
    method: 'post',
    path,
    summary,
    request: {
      params,
      headers: idempotencyKey,
      body: { content: { 'application/json': { schema: z.strictObject({ why }) } }, required: false },
    },
    responses: changes(incidentView),
  });
const acknowledgeRoute = changeRoute(
  '/incidents/{incident}/acknowledge',
  'Take an incident: it is escalated no further',
);
const resolveRoute = changeRoute(
  '/incidents/{incident}/resolve',
  'Say that an incident is over; mostly the next good run does',
);

export function incidentRoutes(service: Service): Api {
  const { parts } = service;
  // Those of the service name jobs of all departments: they are for callers who may know of all.
  const mayKnow = (caller: Caller, { job }: Incident) =>
    sees(caller, job === null ? undefined : parts.catalog().get(job)?.job);

  async function find(caller: Caller, id: string): Promise<Versioned<Incident>> {
    for await (const one of parts.store.incidents.open())
      if (one.value.id === id && mayKnow(caller, one.value)) return one;
    throw new ApiProblem(
      'no-such-incident',
      `expected the id of an incident that is open, found "${id}": GET /incidents lists them`,
    );
  }

  async function act(c: Asking, caller: Caller, id: string, { again }: First, { isDone, change, expected }: Change) {
    const { value: found, etag } = await find(caller, id);
    if (again && isDone(found)) return incidentJson(found);
    matches(c, etag);
    const next = await change(found);
    if (next) return incidentJson(next);
    // Meanwhile the first request of the same key may have done it.
    const { value: one } = await find(caller, id);
    if (again && isDone(one)) return incidentJson(one);
    throw new ApiProblem('conflict', `expected an incident that ${expected}, ${id} is ${one.state}`);
  }

  async function newestPast(job: string | null, most: number): Promise<Incident[]> {
    const found: Incident[] = [];
    for await (const one of parts.store.incidents.past(job)) if (found.push(one) >= most) break;
    return found;
  }

  return newApi()
    .openapi(listRoute, async (c) => {
      const caller = callerOf(c, 'read');
      const { job, state, limit, past } = c.req.valid('query');
      const { incidents } = parts.store;
      const found: Incident[] = [];
      for await (const { value } of job === undefined ? incidents.open() : incidents.openOf(job)) found.push(value);
      if (past === 'true') {
        const names = job === undefined ? [...parts.catalog().keys(), null] : [job];
        for (const name of names) found.push(...(await newestPast(name, limit)));
      }
      const items = found
        .filter((one) => mayKnow(caller, one) && (state ?? one.state) === one.state)
        .toSorted(worstFirst)
        .slice(0, limit);
      return c.json({ items: items.map(incidentJson) }, 200);
    })
    .openapi(oneRoute, async (c) => {
      const found = await find(callerOf(c, 'read'), c.req.valid('param').incident);
      c.header('etag', found.etag);
      return c.json(incidentJson(found.value), 200);
    })
    .openapi(acknowledgeRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const asked = { by: caller.name, why: c.req.valid('json')?.why ?? '' };
      const done = await once(service, c, caller, { why: asked.why }, (first) =>
        act(c, caller, c.req.valid('param').incident, first, {
          isDone: (one) => isTaken(one, asked, first.at),
          change: (one) => acknowledge(parts, one, asked, first.at, first.token),
          expected: 'is open',
        }),
      );
      return c.json(done, 200);
    })
    .openapi(resolveRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const asked = { by: caller.name, why: c.req.valid('json')?.why ?? '' };
      const done = await once(service, c, caller, { why: asked.why }, (first) =>
        act(c, caller, c.req.valid('param').incident, first, {
          isDone: (one) => isEnded(one, first.at),
          change: (one) => resolve(parts, one, asked, first.at, first.token),
          expected: 'is not over',
        }),
      );
      return c.json(done, 200);
    });
}

interface Change {
  /** Whether it is already as this request makes it. */
  isDone(incident: Incident): boolean;
  change(incident: Incident): Promise<Incident | undefined>;
  /** What an incident must be for it, for the refusal. */
  expected: string;
}

const order = { critical: 0, error: 1, warning: 2 };

/** What is over comes last; of the others the worst, then the newest. */
function worstFirst(a: Incident, b: Incident): number {
  const over = ({ state }: Incident) => (state === 'resolved' ? 1 : 0);
  return over(a) - over(b) || order[a.severity] - order[b.severity] || b.since - a.since;
}
