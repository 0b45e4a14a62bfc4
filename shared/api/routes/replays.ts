import { createRoute, z } from '@hono/zod-openapi';
import { noReplay, replayNow, withExamples } from '../../actions/replay.ts';
import { newReplayState, type Replayed, type ReplayState, replayReasons, replayStates } from '../../drift/replay.ts';
import { iso } from '../../instant.ts';
import { type Api, callerOf, knownJob, newApi, type Service } from '../app.ts';
import { ApiProblem } from '../problem.ts';
import { once } from '../request.ts';
import { answers, changes, idempotencyKey, jobParam, whole, why } from '../schema.ts';
import { time } from '../views.ts';
import { body, runnable } from './actions.ts';

export const differenceView = z
  .object({ example: z.string(), file: z.string(), path: z.string(), was: z.string(), is: z.string() })
  .openapi('ReplayDifference');

const replayView = z
  .object({
    run: z.string().openapi({ description: 'GET /jobs/{job}/runs/{run} has its log' }),
    at: time,
    reason: z.enum(replayReasons),
    state: z.enum(replayStates).openapi({ description: 'Against the accepted answers' }),
    changed: z.int(),
    of: z.int(),
    alarmAt: z.int().openapi({ description: 'Changed examples from which on it is no chance' }),
    repeats: z.int(),
    worst: z
      .array(differenceView)
      .openapi({ description: 'Of the three examples that changed most, one difference each' }),
    problems: z.array(z.object({ example: z.string(), problem: z.string() })),
    error: z.string().nullable().openapi({ description: 'Why nothing is known' }),
    costMs: z.number(),
  })
  .openapi('Replay');

const replaysView = z
  .object({
    declared: z.boolean().openapi({ description: 'Whether job.yaml has replay:' }),
    everyDays: z.int().nullable().openapi({ description: 'Days between two that nothing else calls for; null: none' }),
    problem: z.string().nullable().openapi({ description: 'Why the service does not replay' }),
    running: z.string().nullable().openapi({ description: 'The run of the replay under way' }),
    noise: z
      .object({ replays: z.int(), share: z.number() })
      .nullable()
      .openapi({ description: 'Share of examples that differ by themselves, measured when the set was new' }),
    items: z.array(replayView),
  })
  .openapi('Replays');

/** @returns `Replays` of the API; also what `lamp replay --last --json` prints */
export function replaysJson(
  state: ReplayState,
  replays: readonly Replayed[],
  declared: boolean,
): z.infer<typeof replaysView> {
  const { everyDays, problem, running, noise } = state;
  return {
    declared,
    everyDays,
    problem,
    running: running?.run ?? null,
    noise: noise && { replays: noise.replays, share: noise.share },
    items: replays.map(({ run, slot, reason, changed, of, alarmAt, repeats, worst, error, costMs, ...one }) => ({
      ...{ run, at: iso(slot), reason, state: one.state, changed, of, alarmAt, repeats, worst, error, costMs },
      problems: Object.entries(one.problems).map(([example, problem]) => ({ example, problem })),
    })),
  };
}

const list = createRoute({
  method: 'get',
  path: '/jobs/{job}/replays',
  summary: 'How the job answers its frozen examples, newest first',
  request: { params: z.object({ job: jobParam }), query: z.object({ limit: whole(1, 200).default(20) }) },
  responses: answers(replaysView),
});

const askedView = z
  .object({
    job: z.string(),
    run: z
      .string()
      .nullable()
      .openapi({ description: 'The run that answers; null: it is queued when `after` is over' }),
    after: z.string().nullable().openapi({ description: 'The replay under way that this one waits for' }),
  })
  .openapi('ReplayAsked');

const ask = createRoute({
  method: 'post',
  path: '/jobs/{job}/replays',
  summary: 'Run a job on its frozen examples now; one is under way at a time',
  request: { params: z.object({ job: jobParam }), headers: idempotencyKey, body: body(z.strictObject({ why })) },
  responses: changes(askedView),
});

export function replayRoutes(service: Service): Api {
  const { parts } = service;
  const { replays, jobs } = parts.store;
  return newApi()
    .openapi(list, async (c) => {
      const { name, deployed } = await knownJob(service, callerOf(c, 'read'), c.req.valid('param').job);
      const [found, items] = await Promise.all([replays.state(name), replays.list(name, c.req.valid('query').limit)]);
      return c.json(replaysJson(found?.value ?? newReplayState(name), items, deployed?.job.replay != null), 200);
    })
    .openapi(ask, async (c) => {
      const caller = callerOf(c, 'act');
      const known = await knownJob(service, caller, c.req.valid('param').job);
      const { deployed, name } = known;
      const { why: reason = '' } = c.req.valid('json') ?? {};
      const done = await once(service, c, caller, { why: reason }, async ({ at, token }) => {
        runnable(known);
        const row = (await jobs.get(name))?.value;
        const job = deployed && (await withExamples(parts, deployed, row?.bundle));
        const problem = job && noReplay(job);
        if (!job || problem !== undefined)
          throw new ApiProblem('conflict', `expected a job that the service can replay, ${name} is none: ${problem}`);
        if (row?.paused)
          throw new ApiProblem('conflict', `expected a job that is not paused, ${name} is: resume it first`);
        const asked = await replayNow(parts, job, { by: caller.name, why: reason }, at, token);
        if (!asked) throw new ApiProblem('conflict', `expected one replay of ${name} at a time: ask again in a minute`);
        const named = (run: string | null) => run && `${name}.${run}`;
        return { job: name, run: named(asked.run), after: named(asked.after) };
      });
      return c.json(done, 200);
    });
}
