import { createRoute, z } from '@hono/zod-openapi';
import { isBreach } from '../../drift/contract.ts';
import { type Finding, findingStates } from '../../drift/finding.ts';
import { replayStates } from '../../drift/replay.ts';
import { iso } from '../../instant.ts';
import { findingPicture } from '../../pipeline/finding-picture.ts';
import { type Api, callerOf, knownJob, newApi, type Service } from '../app.ts';
import { optional } from '../json.ts';
import { ApiProblem } from '../problem.ts';
import { answers, jobParam, whole } from '../schema.ts';
import { time } from '../views.ts';
import { differenceView } from './replays.ts';

export const findingView = z
  .object({
    id: z.string().openapi({ description: 'Unique within the job' }),
    job: z.string(),
    state: z.enum(findingStates),
    since: time.openapi({ description: 'The slot at which the change begins' }),
    found: time,
    sentence: z.string().openapi({ description: 'What happened, since when, why and what to do' }),
    verdict: z.string().nullable(),
    causes: z.array(z.object({ kind: z.string().nullable(), text: z.string().nullable(), weight: z.number() })),
    metrics: z.array(
      z.object({
        metric: z.string(),
        kind: z.string(),
        before: z
          .number()
          .nullable()
          .openapi({ description: 'Median before; null: a breach of a rule, not of a level' }),
        low: z.number().nullable(),
        high: z.number().nullable(),
        after: z.number().nullable(),
        oneIn: z.number().nullable().openapi({ description: 'Chance alone does that once in this many looks' }),
      }),
    ),
    replay: z
      .object({
        state: z.enum(replayStates),
        changed: z.int(),
        of: z.int(),
        run: z.string(),
        worst: z.array(differenceView),
      })
      .nullable()
      .openapi({ description: 'What replays of frozen examples say; null: none was made since' }),
    snoozedUntil: time.nullable(),
    answered: z.object({ by: z.string(), why: z.string(), at: time }).nullable(),
  })
  .openapi('Finding');

/** @returns a `Finding` of the API; also what `lamp drift --json` prints */
export function findingJson(finding: Finding): z.infer<typeof findingView> {
  const { id, job, state, since, found, sentence, signs, attribution, snoozedUntil, answered } = finding;
  return {
    ...{ id, job, state, sentence },
    since: iso(since),
    found: iso(found),
    verdict: attribution?.verdict ?? null,
    causes: (attribution?.candidates ?? []).map(({ change, weight }) => {
      return { kind: change?.kind ?? null, text: change?.text ?? null, weight };
    }),
    metrics: signs.map(({ metric, kind, numbers: { before, low, high, after }, oneIn }) => {
      if (isBreach(kind)) return { metric, kind, before: null, low: null, high: null, after: null, oneIn: null };
      return { metric, kind, before, low, high, after, oneIn: oneIn ?? null };
    }),
    replay: finding.replay ?? null,
    snoozedUntil: optional(snoozedUntil),
    answered: answered && { by: answered.by, why: answered.why, at: iso(answered.at) },
  };
}

const list = createRoute({
  method: 'get',
  path: '/jobs/{job}/findings',
  summary: 'Where results of the job moved away from their past, newest first',
  request: {
    params: z.object({ job: jobParam }),
    query: z.object({ state: z.enum(findingStates).optional(), limit: whole(1, 200).default(20) }),
  },
  responses: answers(z.object({ items: z.array(findingView) }).openapi('Findings')),
});

const svg = 'image/svg+xml';

const picture = createRoute({
  method: 'get',
  path: '/jobs/{job}/findings/{finding}/picture.svg',
  summary: 'The metric with its usual range, the change and what changed around it',
  request: {
    params: z.object({ job: jobParam, finding: z.string().regex(/^\d{1,16}$/, 'expected the id of a finding') }),
  },
  responses: {
    ...answers(z.string()),
    200: { description: 'Done', content: { [svg]: { schema: z.string() } } },
  },
});

/** Findings of a job that are looked through for one. */
const mostFindings = 1_000;

export function findingRoutes(service: Service): Api {
  const { parts } = service;
  return newApi()
    .openapi(list, async (c) => {
      const { name } = await knownJob(service, callerOf(c, 'read'), c.req.valid('param').job);
      const { state, limit } = c.req.valid('query');
      const found = await parts.store.drift.findings(name, state === undefined ? limit : mostFindings);
      const wanted = found.filter((one) => state === undefined || one.state === state).slice(0, limit);
      return c.json({ items: wanted.map(findingJson) }, 200);
    })
    .openapi(picture, async (c) => {
      const { job, finding: id } = c.req.valid('param');
      const { name } = await knownJob(service, callerOf(c, 'read'), job);
      const finding = (await parts.store.drift.findings(name, mostFindings)).find((one) => one.id === id);
      const drawn = finding && (await findingPicture(parts, finding));
      if (drawn === undefined) {
        const detail = `expected a finding of ${name} that can be drawn, found "${id}": GET /api/v1/jobs/${name}/findings lists them`;
        throw new ApiProblem('no-such-finding', detail);
      }
      // What a job wrote is in it: opened by itself it may style its own shapes, and nothing else.
      c.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
      c.header('x-content-type-options', 'nosniff');
      return c.body(drawn, 200, { 'content-type': svg });
    });
}
