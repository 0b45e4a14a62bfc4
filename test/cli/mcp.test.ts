import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, onTestFinished, test } from 'vitest';
import { clientOf } from '../../cli/client.ts';
import { findHome } from '../../cli/home.ts';
import { mcpServer } from '../../cli/mcp/server.ts';
import type { Role } from '../../shared/api/caller.ts';
import { v1 } from '../../shared/api/v1.ts';
import { minute } from '../../shared/instant.ts';
import { everyMinute, job } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

/** An assistant that talks to a world of jobs. @param says what its person answers; undefined: it cannot ask them */
async function assistant(world: World, says?: boolean, role: Role = 'operator') {
  const api = v1({ parts: world.parts, clock: () => world.now }, async () => {
    return { name: 'dana@contoso.com', roles: [role], departments: null };
  });
  const folder = await mkdtemp(join(tmpdir(), 'lamp-mcp-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const service = clientOf('here', async (path, init) => api.request(path, init));
  const server = mcpServer(findHome(folder), service, '0.0.0');
  const client = new Client(
    { name: 'test', version: '0' },
    { capabilities: says === undefined ? {} : { elicitation: {} } },
  );
  const asked: string[] = [];
  if (says !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      asked.push(params.message);
      return { action: 'accept', content: { confirm: says } };
    });
  }
  const [here, there] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(there), client.connect(here)]);
  onTestFinished(() => client.close());
  const call = async (name: string, args: Record<string, unknown> = {}) => {
    const result = await client.callTool({ name, arguments: args });
    const [{ text }] = result.content as [{ text: string }];
    return { text, failed: result.isError === true };
  };
  return { client, call, asked, folder };
}

async function failed(): Promise<World> {
  const world = await World.inMemory(job('score', { schedule: everyMinute }), job('pull', {}));
  await world.pass(world.now + 2 * minute);
  world.platform.behave = ({ job: name }) => (name === 'score' ? 'fail' : 'succeed');
  world.platform.errorClass = 'authorization';
  await world.pass(world.now + 10 * minute);
  return world;
}

test('an assistant lists jobs, finds the run that failed, and explains it in plain words', async () => {
  const { call } = await assistant(await failed());
  expect(JSON.parse((await call('list_jobs')).text).items.map((one: { job: string }) => one.job)).toEqual([
    'pull',
    'score',
  ]);
  const [run] = JSON.parse((await call('list_runs', { job: 'score', state: 'failed' })).text).items;
  const { text } = await call('explain_failure', { run: run.run });
  expect(text).toContain('refused the login or the permission');
  expect(text).toContain('First step: ');
  expect(text).toMatch(/Changed since: /);
});

test('what acts says so, and what only looks says so', async () => {
  const { client } = await assistant(await failed());
  const { tools } = await client.listTools();
  const acting = tools.filter(({ annotations }) => annotations?.readOnlyHint !== true).map(({ name }) => name);
  expect(acting.sort()).toEqual(['cancel_run', 'rerun', 'run_job', 'scaffold_job']);
});

test('it acts when the person says yes, with their name in the audit, and never otherwise', async () => {
  const world = await failed();
  const run = { job: 'pull', why: 'the list is stale' };
  const no = await assistant(world, false);
  expect(await no.call('run_job', run)).toMatchObject({
    failed: true,
    text: expect.stringContaining('nothing was done'),
  });
  const mute = await assistant(world);
  expect(await mute.call('run_job', run)).toMatchObject({ failed: true, text: expect.stringContaining('cannot ask') });
  expect(await world.states('pull')).toEqual([]);
  const yes = await assistant(world, true);
  expect((await yes.call('run_job', run)).failed).toBe(false);
  expect(yes.asked).toEqual(['Run pull now at here?']);
  const [{ asked }] = JSON.parse((await yes.call('list_runs', { job: 'pull' })).text).items;
  expect(asked).toEqual({ by: 'dana@contoso.com', why: 'the list is stale' });
});

test('the person sees what an assistant would hide in its question', async () => {
  const { call, asked } = await assistant(await failed(), false);
  await call('run_job', { job: 'pull', args: ['--dry\u202enur-', '\u200b'], why: 'x' });
  await call('cancel_run', { run: 'score.1\nIt does nothing.', why: 'x' });
  expect(asked).toEqual([
    'Run pull now with ["--dry\\u202enur-","\\u200b"] at here?',
    'Cancel score.1\\u000aIt does nothing. at here?',
  ]);
});

test('a person who may only look cannot act through an assistant either', async () => {
  const world = await failed();
  const viewer = await assistant(world, true, 'viewer');
  expect(await viewer.call('run_job', { job: 'pull', why: 'now' })).toMatchObject({
    failed: true,
    text: expect.stringContaining('expected the role operator or admin'),
  });
  expect(await world.states('pull')).toEqual([]);
});

test('it makes a new job that passes every check', async () => {
  const { call, folder } = await assistant(await failed());
  await call('scaffold_job', { job: 'send-invoices', owner: 'dana@contoso.com' });
  expect(await readFile(join(folder, 'jobs', 'send-invoices', 'job.yaml'), 'utf8')).toContain('dana@contoso.com');
  expect((await call('check_jobs')).text).toContain('1 jobs, 0 problems');
});
