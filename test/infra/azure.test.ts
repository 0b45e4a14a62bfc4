import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFolder } from '../../cli/host/folder.ts';
import { backfill } from '../../shared/actions/backfill.ts';
import { runNow } from '../../shared/actions/run-now.ts';
import { day } from '../../shared/instant.ts';
import { isError } from '../../shared/manifest/problem.ts';
import { isFinal, type Run } from '../../shared/run/run.ts';
import { type AzureWorld, openAzure } from '../support/azure/azure-world.ts';
import { findDocker, runtimeImage } from '../support/docker/docker.ts';
import { numbers } from '../support/pipeline/random.ts';

/** The whole pipeline in the shape that it has in Azure; see support/azure-world.ts. */

const docker = await findDocker();
const asked = { by: 'dana', why: '' };
const secret = 'a-value-that-no one-may-see';
const manifest = (run: string, more = '') => `description: A job of the test.
owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
status: development
run: { command: [python, main.py], timeout: 1m, ${run} }
${more}
`;
const jobs = {
  chain: {
    yaml: manifest(
      'overlap: allow, concurrency: 4, cpu: 1',
      'schedule: { cron: "0 7 * * *", timeZone: UTC }\noutputs: [rows.csv]',
    ),
    code: `import os
open('rows.csv', 'w').write('a,b\\n1,2\\n')
open(os.environ['JOB_METRICS'], 'a').write('rows=1\\n')
print('run', os.environ['JOB_RUN_ID'], 'attempt', os.environ['JOB_ATTEMPT'])
`,
  },
  secretive: {
    yaml: manifest('cpu: 1', 'secrets: { API_KEY: api-key }'),
    code: `import os
print('key', os.environ['API_KEY'])
print(sorted(name for name in os.environ if 'IDENTITY' in name or 'LAMPLIGHTER' in name))
`,
  },
  broken: { yaml: manifest('cpu: 1'), code: 'import no_such_module\n' },
};

describe.skipIf(!docker)('in Azure', () => {
  let world: AzureWorld;
  let folder: string;

  beforeAll(async () => {
    if (!docker) return;
    folder = await mkdtemp(join(tmpdir(), 'lamp-jobs-'));
    for (const [name, { yaml, code }] of Object.entries(jobs)) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'job.yaml'), yaml);
      await writeFile(join(folder, name, 'main.py'), code);
    }
    const { catalog, problems } = await readFolder(folder);
    expect(problems.filter(isError)).toEqual([]);
    world = await openAzure({ docker, image: await runtimeImage(docker), catalog, secrets: { 'api-key': secret } });
    await world.start();
  }, 180_000);
  afterAll(async () => {
    await world?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  async function end(job: string, id: string): Promise<Run> {
    let run: Run | undefined;
    await expect
      .poll(
        async () => {
          run = (await world.store.runs.get(job, id))?.value;
          return run !== undefined && isFinal(run.state);
        },
        { timeout: 60_000 },
      )
      .toBe(true);
    if (!run) throw new Error('gone');
    return run;
  }
  const logOf = async (run: Run) => {
    const id = { job: run.job, run: run.id, attempt: run.attempts.length };
    const inline = (await world.store.attempts.result(id))?.log.text;
    return inline ?? `${await world.store.attempts.log(id, 0)}`;
  };

  test('a job gets its secret from the vault by the platform, and no other host sees the value', async () => {
    const { id } = await runNow(world.parts, 'secretive', [], asked, Date.now());
    const run = await end('secretive', id);
    expect(run).toMatchObject({ state: 'succeeded', attempts: [{ executor: 'container-apps', exitCode: 0 }] });
    const log = await logOf(run);
    expect(log).not.toContain(secret);
    expect(log).toContain('key ***');
    // Nothing of the platform's own, neither its identity nor the ticket.
    expect(log).toContain('[]');
    expect(run.versions?.secrets).toEqual({ 'api-key': world.vault.version('api-key', 0) });
    expect(run.versions?.image).toBe(`sha256:${'a'.repeat(64)}`);
    expect(world.vault.asked.every((path) => path === 'GET /secrets/api-key/versions')).toBe(true);
  });

  test('a failure of the script is reported as on one machine', async () => {
    const { id } = await runNow(world.parts, 'broken', [], asked, Date.now());
    const run = await end('broken', id);
    expect(run).toMatchObject({ state: 'failed', attempts: [{ errorClass: 'module' }] });
    expect(run.attempts[0]?.error).toContain('no_such_module');
  });

  test('a backfill passes with no run doubled, although starts fail after having happened', async () => {
    const random = numbers(2026);
    let starts = 0;
    let hurt = 0;
    world.arm.fault = (operation) => {
      if (operation !== 'start') return undefined;
      starts += 1;
      // Azure's three ways to say yes, and executions that it goes on calling running long after their end.
      world.arm.accepts = (['done', 'accepted', 'accepted and named'] as const)[starts % 3] ?? 'done';
      const last = world.arm.executions.at(-1);
      if (last && starts % 4 === 0) last.stuck = 'Running';
      const kinds = [
        { done: true, answer: { status: 500, code: 'InternalServerError' } },
        { done: true, answer: 'lost' },
        { done: false, answer: { status: 503, code: 'ServiceUnavailable' } },
        { done: false, answer: { status: 429, code: 'TooManyRequests' } },
      ] as const;
      // The first four for sure, each kind once.
      const kind = starts <= kinds.length ? starts - 1 : Math.floor(random() * 20);
      if (kinds[kind]) hurt += 1;
      return kinds[kind];
    };
    const first = Date.UTC(2026, 9, 1, 7);
    const slots = Array.from({ length: 12 }, (_, at) => first + at * day);
    await backfill(world.parts, 'chain', slots, [], asked, Date.now());
    const runs: Run[] = [];
    await expect
      .poll(
        async () => {
          runs.length = 0;
          for await (const { value } of world.store.runs.list('chain', { to: first + 30 * day })) runs.push(value);
          return runs.filter(({ state }) => isFinal(state)).length;
        },
        { timeout: 120_000, interval: 500 },
      )
      .toBe(slots.length);
    world.arm.fault = () => undefined;
    expect(hurt).toBeGreaterThanOrEqual(4);
    expect(runs.map(({ state }) => state)).toEqual(slots.map(() => 'succeeded'));
    for (const run of runs) {
      expect(run.metrics).toEqual({ rows: 1 });
      // The result is there before its process has ended.
      const exits = () => run.attempts.flatMap(({ number }) => world.exits.get(`chain/${run.id}/${number}`) ?? []);
      await expect.poll(() => exits().filter((code) => code === 0)).toHaveLength(1);
    }
    expect(world.arm.violations).toEqual([]);
    expect(world.host.errors).toEqual([]);
  }, 180_000);

  test('a nudge ends a run before the next tick; without its code, or without a token elsewhere, no one is heard', async () => {
    const post = (path: string, headers = {}) =>
      fetch(`${world.host.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{"job":"chain","run":"20261120T070000Z","attempt":1}',
      });
    expect((await post('/api/finish')).status).toBe(401);
    expect((await post('/api/finish?code=guess')).status).toBe(401);
    expect((await post('/api/tick')).status).toBe(401);
    expect((await post('/api/tick', { authorization: 'Bearer x' })).status).toBe(200);
    const health = await fetch(`${world.host.url}/health`, { headers: { authorization: 'Bearer x' } });
    expect(await health.json()).toMatchObject({
      jobs: 3,
      lastTick: expect.stringMatching(/^2\d{3}-/),
      setAside: 0,
    });
  });
});
