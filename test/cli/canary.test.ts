import { expect, test } from 'vitest';
import { withCanary } from '../../cli/deploy/canary.ts';
import { canaryFindings, type Reply } from '../../cli/verify/canary.ts';
import { routesOf } from '../../shared/alerts/route.ts';
import { alertSettings } from '../../shared/alerts/settings.ts';
import { api } from '../../shared/api/api.ts';
import type { Caller } from '../../shared/api/caller.ts';
import { second } from '../../shared/instant.ts';
import { canaryJob } from '../../shared/job/canary.ts';
import { job } from '../support/pipeline/cast.ts';
import type { Behaviour } from '../support/pipeline/executor.ts';
import { World } from '../support/pipeline/parts.ts';

/** The real API and pipeline over a platform of the test, in its time. */
async function canary(options: {
  behave?: (command: readonly string[]) => Behaviour;
  caller?: Partial<Caller>;
  change?: (path: string, reply: Reply, method: string) => Reply;
  prepare?: (world: World) => void;
}) {
  const world = await World.inMemory(job(canaryJob, {}), job('score', {}));
  world.platform.behave = ({ command }) => options.behave?.(command) ?? (command.includes('wait') ? 'run' : 'succeed');
  options.prepare?.(world);
  const caller: Caller = { name: 'it@contoso.com', roles: ['admin'], departments: null, ...options.caller };
  const app = api(
    world.parts,
    () => world.now,
    async () => caller,
  );
  const log = 'canary: the secret reads ***\n';
  const found = await canaryFindings(
    async (method, path, body) => {
      const init = {
        method,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      };
      const answer = await app.request(path, init);
      let reply: Reply = { status: answer.status, text: await answer.text() };
      // The platform of the tests leaves neither logs nor metrics.
      if (path.endsWith('/log')) reply = { status: 200, text: log };
      reply.text = reply.text.replace('"metrics":{}', '"metrics":{"canary":1}');
      return options.change?.(path, reply, method) ?? reply;
    },
    {
      every: 10 * second,
      clock: () => world.now,
      sleep: (ms) => world.pass(world.now + ms),
    },
  );
  return { world, found, bad: found.filter(({ state }) => state !== 'right') };
}

test('a canary that works shows each thing that jobs rely on, and leaves nothing under way', async () => {
  const { world, found, bad } = await canary({});
  expect(bad).toEqual([]);
  expect(found.map(({ check }) => check)).toEqual(
    ['nudge', 'run', 'log', 'metrics', 'stop'].map((what) => `canary ${what}`),
  );
  expect(await world.leftovers()).toEqual([]);
  expect(world.platform.stops).toHaveLength(1);
});

const failing =
  (exitCode: number | null, error: string, errorClass = 'application') =>
  (path: string, reply: Reply) => {
    if (!/runs\/[^/]+$/.test(path) || reply.status !== 200) return reply;
    const run = JSON.parse(reply.text);
    const attempt = { ...run.attempts[0], exitCode, error, errorClass, handle: 'x', state: 'failed' };
    return {
      ...reply,
      text: JSON.stringify({ ...run, state: 'failed', startedAt: '2026-11-20T07:00:01Z', attempts: [attempt] }),
    };
  };

test.each<[string, Parameters<typeof canary>[0], string, RegExp, RegExp]>([
  [
    'the caller has no role',
    { caller: { roles: [] } },
    'run',
    /you may not run a job: 403/,
    /app role operator or admin/,
  ],
  [
    'the package has no canary',
    { prepare: ({ jobs }) => void jobs.delete(canaryJob) },
    'run',
    /the folder of lamplighter-canary is gone|not deployed/,
    /./,
  ],
  [
    'nothing takes it from the queue',
    { prepare: ({ queue }) => void Object.assign(queue, { put: async () => {} }) },
    'start',
    /nothing took it from the queue/,
    /poison above/,
  ],
  [
    'no container begins',
    { behave: () => 'never' },
    'start',
    /no container reported that it began/,
    /quota of the environment/,
  ],
  [
    'the image cannot be pulled',
    { change: failing(null, 'unable to pull image using Managed identity', 'infrastructure') },
    'pull',
    /has no image/,
    /AcrPull/,
  ],
  [
    'the app may not start it',
    { change: failing(null, 'AuthorizationFailed: no jobs/start/action', 'authorisation') },
    'start',
    /may not be started/,
    /--from jobs/,
  ],
  [
    'the secret does not arrive',
    { change: failing(21, 'exit code 21') },
    'secret',
    /did not get its secret/,
    /--from access/,
  ],
  ['the container ends without a word', { behave: () => 'vanish' }, 'result', /left no result/, /firewall/],
  ['the script fails', { change: failing(1, 'exit code 1') }, 'run', /is failed: exit code 1/, /lamp logs/],
  [
    'the log is missing',
    { change: (path, reply) => (path.endsWith('/log') ? { status: 404, text: '' } : reply) },
    'log',
    /cannot be read: 404/,
    /exceptions/,
  ],
  [
    'the log shows the secret',
    { change: (path, reply) => (path.endsWith('/log') ? { status: 200, text: 'reads canary-0a1b' } : reply) },
    'log',
    /shows the secret/,
    /SECURITY/,
  ],
  [
    'the metric is missing',
    { change: (_, reply) => ({ ...reply, text: reply.text.replace('"canary":1', '') }) },
    'metrics',
    /has no metric/,
    /--from image/,
  ],
  [
    'platform authentication stops nudges',
    { change: (path, reply) => (path === '/api/finish' ? { status: 401, text: '' } : reply) },
    'nudge',
    /gets 401 before it reaches/,
    /--from jobs/,
  ],
  [
    'a stop is refused',
    {
      prepare: ({ platform }) =>
        void Object.assign(platform, {
          stop: async () => {
            throw new Error('403');
          },
        }),
    },
    'stop',
    /goes on 4 minutes after/,
    /executions\/stop\/action/,
  ],
  [
    'the app answers nothing that can be read',
    { change: () => ({ status: 200, text: '<html>' }) },
    'run',
    /no usable answer/,
    /./,
  ],
])('when %s, that is named with what to do', async (_, options, what, text, remedy) => {
  const { bad } = await canary(options);
  const found = bad.find(({ check }) => check === `canary ${what}`);
  expect(found?.text ?? JSON.stringify(bad)).toMatch(text);
  expect(found?.remedy).toMatch(remedy);
});

test('an app that restarts in between is asked again', async () => {
  let times = 0;
  const change = (path: string, reply: Reply) =>
    /runs\/[^/]+$/.test(path) && times++ % 3 === 1 ? { status: 503, text: '' } : reply;
  expect((await canary({ change })).bad).toEqual([]);
});

test('it is packaged beside the jobs, its name is taken, and what is wrong with it is reported to the default channels', async () => {
  const all = await withCanary(new Map());
  expect([...all.keys()]).toEqual([canaryJob]);
  const own = all.get(canaryJob)?.job;
  expect(own).toMatchObject({ status: 'production', secrets: { CANARY_SECRET: canaryJob } });
  expect(own?.schedules).toHaveLength(1);
  await expect(withCanary(all)).rejects.toThrow(/the name is that of a job of Lamplighter itself/);
  const channels = { ops: { type: 'webhook', address: { secret: 'ops' } } };
  const settings = alertSettings.parse({ channels, default: ['ops'] });
  expect(routesOf({ tier: 'standard', level: 0, cause: 'failed', subject: '' }, own, settings)).toEqual([
    { channel: 'ops', to: [] },
  ]);
});

test('lists of jobs and runs leave it out, unless they are asked for it', async () => {
  const { world } = await canary({});
  const caller = async (): Promise<Caller> => ({ name: 'dana', roles: ['viewer'], departments: null });
  const app = api(world.parts, () => world.now, caller);
  const names = async (path: string) => {
    const { items } = (await (await app.request(path)).json()) as { items: { job: string }[] };
    return [...new Set(items.map((one) => one.job))];
  };
  expect(await names('/api/v1/jobs')).toEqual(['score']);
  expect(await names('/api/v1/jobs?own=true')).toEqual([canaryJob, 'score']);
  expect(await names('/api/v1/runs')).toEqual([]);
  expect(await names(`/api/v1/jobs/${canaryJob}/runs`)).toEqual([canaryJob]);
});
