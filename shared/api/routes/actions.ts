import { createRoute, z } from '@hono/zod-openapi';
import { cancel } from '../../actions/cancel.ts';
import { pause, resume } from '../../actions/pause.ts';
import { rerun } from '../../actions/rerun.ts';
import { runNow } from '../../actions/run-now.ts';
import type { Job } from '../../job/job.ts';
import { isFinal, runName } from '../../run/run.ts';
import { type Api, callerOf, type KnownJob, knownJob, knownRun, newApi, type Service } from '../app.ts';
import { runJson } from '../json.ts';
import { ApiProblem } from '../problem.ts';
import { firstRequest, matches, once } from '../request.ts';
import { changes, idempotencyKey, jobParam, runParam, shortText, why } from '../schema.ts';
import { runView } from '../views.ts';

/** With room for all that else stands in a row. */
const mostArgs = 20_000;

export const args = z
  .array(shortText(4_000))
  .max(100)
  .refine((all) => JSON.stringify(all).length <= mostArgs, `expected at most ${mostArgs} characters in all`)
  .default([])
  .openapi({ description: `Added to the command; at most ${mostArgs} characters in all` });
export const body = <T extends z.ZodType>(schema: T, required = false) => ({
  content: { 'application/json': { schema } },
  required,
});
const runBody = z.strictObject({ args, why });
const whyBody = z.strictObject({ why });
const resumeBody = z.strictObject({
  why,
  catchUp: z.boolean().default(true).openapi({ description: 'What was skipped, too' }),
});
const ofJob = z.object({ job: jobParam });
const ofRun = z.object({ job: jobParam, run: runParam });

const runRoute = createRoute({
  method: 'post',
  path: '/jobs/{job}/runs',
  summary: 'Run a job now, whatever its schedule says',
  request: { params: ofJob, headers: idempotencyKey, body: body(runBody) },
  responses: changes(runView),
});

const rerunRoute = createRoute({
  method: 'post',
  path: '/jobs/{job}/runs/{run}/rerun',
  summary: 'Run the slot of a run again, as a run of its own',
  request: { params: ofRun, headers: idempotencyKey, body: body(whyBody) },
  responses: changes(runView),
});

const cancelRoute = createRoute({
  method: 'post',
  path: '/jobs/{job}/runs/{run}/cancel',
  summary: 'End a run, or keep it from starting',
  request: { params: ofRun, headers: idempotencyKey, body: body(whyBody) },
  responses: changes(runView),
});

const paused = z.object({ job: z.string(), paused: z.boolean(), changed: z.boolean() }).openapi('Paused');
const pauseRoute = createRoute({
  method: 'post',
  path: '/jobs/{job}/pause',
  summary: 'Skip the slots of a job from now on; a run under way goes on',
  request: { params: ofJob, headers: idempotencyKey, body: body(whyBody) },
  responses: changes(paused),
});

const resumed = paused.extend({ caughtUp: z.array(z.string()) }).openapi('Resumed');
const resumeRoute = createRoute({
  method: 'post',
  path: '/jobs/{job}/resume',
  summary: 'Run slots again',
  request: {
    params: ofJob,
    headers: idempotencyKey,
    body: body(resumeBody),
  },
  responses: changes(resumed),
});

export function actionRoutes(service: Service): Api {
  const { parts } = service;
  return newApi()
    .openapi(runRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const { job } = c.req.valid('param');
      const asked = runBody.parse(c.req.valid('json') ?? {});
      runnable(await knownJob(service, caller, job));
      const key = c.req.valid('header')['idempotency-key'];
      const { at, token } = await firstRequest(service, caller, key, ['run', job, asked]);
      const run = await runNow(parts, job, asked.args, { by: caller.name, why: asked.why }, at, token);
      return c.json(runJson(run), 200);
    })
    .openapi(rerunRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const { job, run: id } = c.req.valid('param');
      const asked = whyBody.parse(c.req.valid('json') ?? {});
      const found = await knownRun(service, caller, job, id);
      runnable(found.job);
      if (!isFinal(found.run.state)) {
        throw new ApiProblem(
          'conflict',
          `expected a run that is over, ${runName(found.run)} is ${found.run.state}: cancel it first`,
        );
      }
      const key = c.req.valid('header')['idempotency-key'];
      const { at, token } = await firstRequest(service, caller, key, ['rerun', found.run.id, job, asked]);
      const run = await rerun(parts, found.run, { by: caller.name, why: asked.why }, at, token);
      return c.json(runJson(run), 200);
    })
    .openapi(cancelRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const { job, run: id } = c.req.valid('param');
      const found = await knownRun(service, caller, job, id);
      const { why: reason } = whyBody.parse(c.req.valid('json') ?? {});
      const done = await once(service, c, caller, { why: reason }, async ({ at }) => {
        matches(c, found.etag);
        if (isFinal(found.run.state) && !found.run.cancel) {
          throw new ApiProblem(
            'conflict',
            `expected a run that is not over, ${runName(found.run)} is ${found.run.state}`,
          );
        }
        const run = await cancel(parts, job, found.run.id, { by: caller.name, why: reason }, at);
        return runJson(run ?? found.run);
      });
      return c.json(done, 200);
    })
    .openapi(pauseRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const job = await knownJob(service, caller, c.req.valid('param').job);
      const { name, row } = job;
      if (!row)
        throw new ApiProblem('conflict', `expected a job that a tick has seen: ${name} is too new, wait a minute`);
      const { why: reason } = whyBody.parse(c.req.valid('json') ?? {});
      const done = await once(service, c, caller, { why: reason }, async ({ at }) => {
        matches(c, row.etag);
        const changed = await pause(parts, name, { by: caller.name, why: reason }, at);
        return { job: name, paused: true, changed };
      });
      return c.json(done, 200);
    })
    .openapi(resumeRoute, async (c) => {
      const caller = callerOf(c, 'act');
      const { name, row } = await knownJob(service, caller, c.req.valid('param').job);
      const asked = resumeBody.parse(c.req.valid('json') ?? {});
      const done = await once(service, c, caller, asked, async ({ at }) => {
        matches(c, row?.etag);
        const runs = await resume(parts, name, { by: caller.name, why: asked.why }, asked.catchUp, at);
        return { job: name, paused: false, changed: runs !== undefined, caughtUp: (runs ?? []).map(runName) };
      });
      return c.json(done, 200);
    });
}

export function runnable({ name, deployed }: KnownJob): Job {
  if (deployed?.job.external) {
    throw new ApiProblem('conflict', `expected a job that runs here, ${name} is external: start it where it runs`);
  }
  if (deployed) return deployed.job;
  throw new ApiProblem('conflict', `expected a job that is deployed, the folder of ${name} is gone: deploy it again`);
}
