import { createRoute, z } from '@hono/zod-openapi';
import { compose } from '../../alerts/compose.ts';
import { opened } from '../../alerts/incident.ts';
import { sightings } from '../../alerts/judge.ts';
import { messageText } from '../../alerts/message.ts';
import { routesOf } from '../../alerts/route.ts';
import { storyOf } from '../../alerts/story.ts';
import { tryChannel } from '../../alerts/try.ts';
import { iso } from '../../instant.ts';
import { runName } from '../../run/run.ts';
import type { Letter } from '../../store/outbox.ts';
import { type Api, callerOf, knownRun, newApi, type Service } from '../app.ts';
import { type Caller, may, sees } from '../caller.ts';
import { letterJson } from '../json.ts';
import { ApiProblem } from '../problem.ts';
import { once } from '../request.ts';
import { answers, changes, idempotencyKey, jobParam, runParam, whole } from '../schema.ts';
import { time } from '../views.ts';
import { body } from './actions.ts';

const letterView = z
  .object({
    key: z.string(),
    channel: z.string(),
    to: z.array(z.string()),
    state: z.enum(['waiting', 'accepted', 'given-up']),
    tries: z.int(),
    error: z.string().nullable(),
    createdAt: time,
    doneAt: time.nullable(),
    nextTry: time.nullable(),
  })
  .openapi('Letter');

const sent = createRoute({
  method: 'get',
  path: '/alerts',
  summary: 'Alerts that wait to be sent, and those of the last days; newest first',
  request: { query: z.object({ limit: whole(1, 1_000).default(30) }) },
  responses: answers(z.object({ items: z.array(letterView) }).openapi('Letters')),
});

const trial = z
  .object({ channel: z.string(), place: z.string(), error: z.string().nullable(), permanent: z.boolean() })
  .openapi('Trial');

const tried = createRoute({
  method: 'post',
  path: '/alerts/test',
  summary: 'Send a test by one channel or by all; for admins',
  request: { headers: idempotencyKey, body: body(z.strictObject({ channel: z.string().max(100).optional() })) },
  responses: changes(z.object({ items: z.array(trial) }).openapi('Trials')),
});

const previewView = z
  .object({
    message: z.looseObject({ title: z.string(), at: time }),
    text: z.string(),
    channels: z.array(
      z.looseObject({
        channel: z.string(),
        to: z.array(z.string()),
        parts: z.array(z.looseObject({ type: z.string(), text: z.string() })),
      }),
    ),
  })
  .openapi('AlertPreview');

const preview = createRoute({
  method: 'get',
  path: '/jobs/{job}/runs/{run}/alert',
  summary: 'What each channel would be sent about a run; nothing is sent',
  request: { params: z.object({ job: jobParam, run: runParam }) },
  responses: changes(previewView),
});

export function alertRoutes(service: Service): Api {
  const { parts, clock } = service;
  const alertsOf = async () => parts.alerts ?? (await service.alerts?.());
  const demandAll = (caller: Caller) => {
    if (!sees(caller, undefined)) {
      throw new ApiProblem('not-allowed', 'expected a role for all departments: alerts are those of all jobs');
    }
  };

  return newApi()
    .openapi(sent, async (c) => {
      demandAll(callerOf(c, 'read'));
      const { outbox } = parts.store;
      const letters: Letter[] = [];
      for await (const { value } of outbox.waiting()) letters.push(value);
      for await (const letter of outbox.done()) letters.push(letter);
      const newest = letters.toSorted((a, b) => b.createdAt - a.createdAt).slice(0, c.req.valid('query').limit);
      return c.json({ items: newest.map(letterJson) }, 200);
    })
    .openapi(tried, async (c) => {
      const caller = callerOf(c, 'administer');
      demandAll(caller);
      const name = c.req.valid('json')?.channel;
      const alerts = await alertsOf();
      const channels = [...(alerts?.channels.values() ?? [])];
      if (!alerts || channels.length === 0) {
        throw new ApiProblem(
          'conflict',
          'expected a channel, there is none: name one in alerts.yaml, see docs/alerts.md',
        );
      }
      const wanted = channels.filter((one) => name === undefined || one.name === name);
      if (wanted.length === 0) {
        const names = channels.map((one) => one.name).join(', ');
        throw new ApiProblem('conflict', `expected the name of a channel, found "${name}". There are: ${names}`);
      }
      const done = await once(service, c, caller, { channel: name }, async ({ at }) => ({
        items: await Promise.all(wanted.map((one) => tryChannel(alerts, one, caller.name, at))),
      }));
      return c.json(done, 200);
    })
    .openapi(preview, async (c) => {
      const { job: name, run: id } = c.req.valid('param');
      const caller = callerOf(c, 'read');
      const { job, run } = await knownRun(service, caller, name, id);
      const now = clock();
      const deployed = job.deployed?.job;
      const [seen] = sightings(run, deployed && { ...deployed, status: 'production' }, now);
      if (!seen) {
        throw new ApiProblem(
          'conflict',
          `expected a run that alerts report, ${runName(run)} is ${run.state}: nothing about it would be sent`,
        );
      }
      const alerts = await alertsOf();
      const incident = opened(seen, now);
      // A link acts for the one that has it: no more than the caller may do without.
      const links = may(caller, 'act') ? ((await alerts?.links?.of(incident, 'preview', now)) ?? []) : [];
      const message = compose(`${incident.id}.1`, [await storyOf(parts, incident)], links, now);
      const routes = alerts ? routesOf(incident, deployed, alerts.settings) : [];
      const channels = routes.flatMap(({ channel, to }) => {
        const found = alerts?.channels.get(channel);
        return found ? [{ channel, to: [...to], ...found.preview(message, to) }] : [];
      });
      const shown = { message: { ...message, at: iso(message.at) }, text: messageText(message), channels };
      return c.json(shown as z.infer<typeof previewView>, 200);
    });
}
