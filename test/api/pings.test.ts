import { expect, test } from 'vitest';
import { api } from '../../shared/api/api.ts';
import { pingKey } from '../../shared/executors/ping-key.ts';
import { hour, minute, second } from '../../shared/instant.ts';
import type { Job } from '../../shared/job/job.ts';
import { readManifest } from '../../shared/manifest/reading.ts';
import { toJob } from '../../shared/manifest/to-job.ts';
import { readText } from '../../shared/run/log-text.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const noCaller = () => Promise.reject(new Error('no one calls the API here'));

function external(name = 'report', more = 'run: { timeout: 30m }'): Job {
  const text = `description: Builds the monthly report.
owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
external: true
schedule: ${hourly}
${more}`;
  const { manifest, problems } = readManifest(Buffer.from(text), 'job.yaml');
  if (!manifest) throw new Error(JSON.stringify(problems));
  return toJob(manifest, { name, folder: `/jobs/${name}`, locked: false, env: {} });
}

async function outside(...jobs: Job[]) {
  const world = await World.inMemory(...(jobs.length > 0 ? jobs : [external()]));
  const app = api(world.parts, () => world.now, noCaller);
  const key = pingKey(await world.store.keys('ping'), 'report');
  const send = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
    app.request(`/api/ping/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  const ping = async (kind: string, body?: unknown) => {
    const answer = await send(`report/${kind}`, body);
    expect(answer.status).toBe(200);
    return (await answer.json()) as { run: string; state: string };
  };
  const incidents = async () => {
    const found: string[] = [];
    for await (const { value } of world.store.incidents.open()) found.push(`${value.cause} ${value.state}`);
    return found;
  };
  return { world, app, key, send, ping, incidents };
}

test('a slot that reports start and success is a run like any other, with its metrics', async () => {
  const { world, ping, incidents } = await outside();
  await world.pass(seven + 3 * minute);
  expect(await world.states('report')).toEqual(['queued']);
  expect((await ping('start', { run: 'gh-1' })).state).toBe('running');
  expect((await world.store.jobs.get('report'))?.value.running).toHaveLength(1);
  await world.pass(seven + 9 * minute);
  expect(await ping('success', { run: 'gh-1', metrics: { rows: 12 } })).toEqual({
    run: 'report.20261120T070000Z',
    state: 'succeeded',
  });
  const run = await world.row('report');
  expect(run).toMatchObject({
    state: 'succeeded',
    metrics: { rows: 12 },
    startedAt: seven + 3 * minute,
    trigger: 'schedule',
  });
  expect(run.attempts[0]).toMatchObject({ executor: 'outside', exitCode: 0, cpuMs: null });
  expect((await world.store.jobs.get('report'))?.value).toMatchObject({ streak: 1, running: [] });
  expect(world.platform.executions.size).toBe(0);
  expect(await incidents()).toEqual([]);
  expect(await world.leftovers()).toEqual([]);
});

test('a slot without a ping is missed ten minutes after its instant, and the next success closes the incident', async () => {
  const { world, ping, incidents } = await outside();
  await world.pass(seven + 9 * minute);
  expect(await world.states('report')).toEqual(['queued']);
  expect(await incidents()).toEqual([]);
  await world.pass(seven + 12 * minute);
  const run = await world.row('report');
  expect(run).toMatchObject({ state: 'missed', reasonCode: 'start-within' });
  expect(run.reason).toBe('no ping came by 2026-11-20T07:10:00Z');
  expect(await incidents()).toEqual(['missed open']);
  await world.pass(seven + hour + minute);
  await ping('success');
  expect(await world.states('report')).toEqual(['missed start-within', 'succeeded']);
  expect(await incidents()).toEqual(['missed resolved']);
});

test('a run that never reports its end has timed out at its limit; its late end is kept as a remark', async () => {
  const { world, ping, incidents } = await outside();
  await world.pass(seven + minute);
  await ping('start', { run: 'a' });
  await world.pass(seven + 31 * minute);
  expect(await world.states('report')).toEqual(['running']);
  await world.pass(seven + 33 * minute);
  expect(await world.states('report')).toEqual(['timed-out']);
  expect(await incidents()).toEqual(['timed-out open']);
  for (let time = 0; time < 2; time += 1) expect((await ping('success', { run: 'a' })).state).toBe('timed-out');
  expect((await world.row('report')).warnings).toEqual(['attempt 1 left a result after it was given up: succeeded']);
  expect(await world.leftovers()).toEqual([]);
});

test('pings whose answers were lost are sent again and change nothing', async () => {
  const { world, ping } = await outside();
  await world.pass(seven + minute);
  for (let time = 0; time < 3; time += 1) await ping('start', { run: 'a' });
  expect(await world.states('report')).toEqual(['running']);
  world.now += 5 * minute;
  for (let time = 0; time < 3; time += 1) expect((await ping('success', { run: 'a' })).state).toBe('succeeded');
  expect((await ping('fail', { run: 'a' })).state).toBe('succeeded');
  expect((await ping('start', { run: 'a' })).state).toBe('succeeded');
  expect(await world.states('report')).toEqual(['succeeded']);
  expect((await world.store.jobs.get('report'))?.value.streak).toBe(1);
});

test('the same for pings without a name, as long as they come again within half a minute', async () => {
  const { world, ping } = await outside();
  await world.pass(seven + minute);
  for (const _ of [1, 2]) await ping('start');
  world.now += 5 * minute;
  for (const _ of [1, 2]) await ping('success');
  expect(await world.states('report')).toEqual(['succeeded']);
  world.now += minute;
  await ping('success');
  expect((await world.rows('report')).map(({ trigger }) => trigger)).toEqual(['schedule', 'manual']);
});

test('two hosts that get the first ping of a run at once make one run of it', async () => {
  const { world, ping } = await outside();
  world.now = seven - 20 * minute;
  await Promise.all([1, 2, 3].map(() => ping('start', { run: 'extra' })));
  const run = await world.row('report');
  expect(run).toMatchObject({ trigger: 'manual', state: 'running', asked: { by: 'outside', why: 'extra' } });
  await Promise.all([1, 2].map(() => ping('success', { run: 'extra' })));
  expect(await world.states('report')).toEqual(['succeeded']);
  expect(await world.leftovers()).toEqual([]);
});

test('a failure carries its reason and the end of its log; an exit code other than 0 is no success', async () => {
  const { world, ping, incidents } = await outside();
  await world.pass(seven + minute);
  const log = 'begin\nTraceback\nKeyError: email\n';
  await ping('fail', { run: 'a', exitCode: 1, error: "KeyError: 'email'", log });
  const run = await world.row('report');
  expect(run.attempts[0]).toMatchObject({ state: 'failed', exitCode: 1, error: "KeyError: 'email'" });
  const left = await world.store.attempts.result({ job: 'report', run: run.id, attempt: 1 });
  expect(left?.error?.detail).toBe('begin\nTraceback\nKeyError: email');
  expect(readText(Buffer.from(left?.log.text ?? ''), true).text.toString()).toBe(log);
  expect(await incidents()).toEqual(['failed open']);
  world.now += minute;
  expect((await ping('success', { run: 'b', exitCode: 3 })).state).toBe('failed');
});

test('tokens of known shapes are kept neither of the log nor of the reason', async () => {
  const { world, ping } = await outside();
  await world.pass(seven + minute);
  const secrets = [
    `ghp_${'a1'.repeat(18)}`,
    `AKIA${'A1'.repeat(8)}`,
    `eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.${'c'.repeat(20)}`,
    'hunter2-of-the-database',
    'MIIEvQIBADANBg',
    'Zm9vYmFyYmF6cXV4==',
  ];
  const [github, aws, web, password, block, account] = secrets;
  const log = [
    `token ${github} and "${aws}", then ${web}`,
    `connect postgres://app:${password}@db.contoso.com/crm failed`,
    `-----BEGIN PRIVATE KEY-----\n${block}\n-----END PRIVATE KEY-----`,
    `AccountKey=${account};EndpointSuffix=core.windows.net`,
    'the last line stays',
  ].join('\n');
  await ping('fail', { run: 'a', exitCode: 1, error: `refused: ${github}`, log });
  const run = await world.row('report');
  const left = await world.store.attempts.result({ job: 'report', run: run.id, attempt: 1 });
  const text = readText(Buffer.from(left?.log.text ?? ''), true).text.toString();
  for (const secret of secrets) expect(text + JSON.stringify([run, left?.error])).not.toContain(secret);
  expect(text).toContain('token *** (a GitHub token) and "*** (an AWS access key)", then');
  expect(text).toMatch(/connect \*\*\* \(an address with a password in it\) failed/);
  expect(text).toMatch(/EndpointSuffix=core\.windows\.net\nthe last line stays\n$/);
  expect(run.attempts[0]?.error).toBe('refused: *** (a GitHub token)');
});

test('a host that dies after the result is left is followed by the watch', async () => {
  const { world, ping } = await outside();
  await world.pass(seven + minute);
  await ping('start', { run: 'a' });
  const { runs } = world.store;
  const replace = runs.replace;
  runs.replace = async () => {
    throw new Error('the host dies');
  };
  const { app, key } = {
    app: api(world.parts, () => world.now, noCaller),
    key: pingKey(await world.store.keys('ping'), 'report'),
  };
  const answer = await app.request('/api/ping/report/success', {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: '{"run":"a"}',
  });
  expect(answer.status).toBe(500);
  runs.replace = replace;
  await world.pass(seven + 4 * minute);
  expect(await world.states('report')).toEqual(['succeeded']);
  expect(await world.leftovers()).toEqual([]);
});

test('a wrong key, a job that is not there and one that runs here get the same answer, and nothing is read', async () => {
  const { world, send, app } = await outside(external(), external('other'), job('here', { schedule: hourly }));
  const keys = {
    here: pingKey(await world.store.keys('ping'), 'here'),
    gone: pingKey(await world.store.keys('ping'), 'gone'),
  };
  const answers = [
    await send('other/start'),
    await send('gone/start'),
    await send('gone/start', undefined, { authorization: `Bearer ${keys.gone}` }),
    await send('here/start', undefined, { authorization: `Bearer ${keys.here}` }),
    await send('report/start', undefined, { authorization: 'Bearer' }),
    await send('..%2Freport/start'),
    await app.request('/api/ping/report/start', { method: 'POST' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
  expect(new Set(await Promise.all(answers.map((one) => one.text()))).size).toBe(1);
  expect(await world.rows('other')).toEqual([]);
});

test('what is no ping is refused with what was expected', async () => {
  const { world, send, app } = await outside();
  await world.pass(seven + minute);
  const said = async (answer: Response) => `${answer.status} ${((await answer.json()) as { error: string }).error}`;
  expect(await said(await send('report/stop'))).toBe('404 expected start, success, fail at the end of the address');
  expect(await said(await app.request('/api/ping/report/start'))).toBe('405 expected POST');
  expect(await said(await send('report/start', '{run: 1}'))).toMatch(/^400 expected a body of JSON/);
  expect(await said(await send('report/start', { run: '<b>' }))).toMatch(/^400 run: expected at most 100/);
  expect(await said(await send('report/success', { metrics: { 'a b': 1 } }))).toMatch(/^400 metrics/);
  expect(await said(await send('report/success', '{"metrics":{"a":1e999}}'))).toMatch(/^400 metrics/);
  expect(await said(await send('report/fail', { log: 'x'.repeat(70_000) }))).toMatch(/^413 expected at most 64 KB/);
  expect(await world.states('report')).toEqual(['queued']);
});

test('a job that pings in a loop is slowed down, and the others are not', async () => {
  const { world, send } = await outside(external(), external('other'));
  await world.pass(seven + minute);
  const statuses: number[] = [];
  for (let time = 0; time < 32; time += 1) statuses.push((await send('report/start', { run: 'a' })).status);
  expect(statuses.filter((one) => one === 200)).toHaveLength(30);
  const slowed = await send('report/start', { run: 'a' });
  expect([slowed.status, slowed.headers.get('retry-after')]).toEqual([429, '2']);
  const other = pingKey(await world.store.keys('ping'), 'other');
  expect((await send('other/start', undefined, { authorization: `Bearer ${other}` })).status).toBe(200);
  world.now += 2 * second;
  expect((await send('report/start', { run: 'a' })).status).toBe(200);
});

test('a slot in a pause is skipped, and no one is alerted', async () => {
  const { world, incidents } = await outside();
  await world.store.jobs.amend('report', (row) => ({ ...row, paused: { by: 'dana', why: 'moving', at: world.now } }));
  await world.pass(seven + 15 * minute);
  expect(await world.states('report')).toEqual(['skipped paused']);
  expect(await incidents()).toEqual([]);
});

test('one that is cancelled here is over at the next look', async () => {
  const { world, ping } = await outside();
  await world.pass(seven + minute);
  await ping('start', { run: 'a' });
  const run = await world.row('report');
  const { cancel } = await import('../../shared/pipeline/cancel.ts');
  await cancel(world.parts, 'report', run.id, { by: 'dana', why: 'stuck' }, world.now);
  await world.pass(seven + 3 * minute);
  expect(await world.states('report')).toEqual(['cancelled']);
  expect((await ping('success', { run: 'a' })).state).toBe('cancelled');
});
