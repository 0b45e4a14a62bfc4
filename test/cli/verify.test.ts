import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { verdict } from '../../cli/commands/verify.ts';
import { Refusal } from '../../cli/refusal.ts';
import type { Finding } from '../../cli/verify/finding.ts';
import { functionNames } from '../../cli/verify/judge.ts';
import type { Scripted } from '../support/azure/azure-tools.ts';
import {
  actionGroup,
  authentication,
  bad,
  behaviour,
  host,
  image,
  jobs,
  key,
  type Line,
  lines,
  rule,
  said,
  script,
  settings,
  tools,
  verify,
  verifyWorld,
} from '../support/azure/verify-world.ts';
import { builtLamp } from '../support/cli/lamp.ts';

verifyWorld();

test('an installation in which all is right has nothing to report but that', async () => {
  await script();
  const all = await verify();
  expect(bad(all)).toEqual([]);
  expect(new Set(all.map(({ check }) => check))).toEqual(
    new Set([
      'ends',
      'functions',
      'image',
      'roles',
      'secrets',
      'leftovers',
      'channels',
      'authentication',
      'ticks',
      'poison',
      ...['nudge', 'run', 'log', 'metrics', 'stop'].map((what) => `canary ${what}`),
    ]),
  );
  expect(verdict(all)).toContain('Everything is right.');
});

test('the app is found by its address as well', async () => {
  await script();
  expect(bad(await verify(`http://${host}`))).toEqual([]);
  await expect(verify('func-2')).rejects.toThrow(/There is no function app func-2 in rg-1; it has: func-1/);
});

test('neither a token nor a setting is ever shown, whatever fails', async () => {
  await script({ settings: { stdout: `[{"name": "APPLICATIONINSIGHTS", "value": "${key}"`, code: 0 } });
  const all = await verify();
  expect(bad(all).length).toBeGreaterThan(0);
  expect(said.join('\n') + verdict(all)).not.toContain(key);
});

test.each<[string, Partial<Record<Line, Omit<Scripted, 'line'>>>, string, RegExp, RegExp]>([
  ['no function was registered', { functions: { stdout: [] } }, 'functions', /tick is not registered/, /--from app/],
  [
    'a function is switched off',
    {
      functions: { stdout: ['tick', 'launch', 'daily', 'http'].map((name) => ({ name, isDisabled: name === 'tick' })) },
    },
    'functions',
    /tick is switched off/,
    /AzureWebJobs\.tick\.Disabled/,
  ],
  [
    'anyone may call the app',
    { authentication: { stdout: authentication({ requireAuthentication: false }) } },
    'authentication',
    /not required/,
    /--from jobs/,
  ],
  [
    'more than the nudge is open',
    { authentication: { stdout: authentication({ excludedPaths: ['/api/finish', '/api/*'] }) } },
    'authentication',
    /\/api\/\* can be called without a token/,
    /--from jobs/,
  ],
  [
    'only the group that Azure makes by itself is there',
    {
      channels: {
        stdout: [{ id: 'x', name: 'Application Insights Smart Detection', enabled: true, armRoleReceivers: [{}] }],
      },
    },
    'channels',
    /there is no action group ag-lamp/,
    /--alert-emails/,
  ],
  [
    'an action group has no receiver',
    { channels: { stdout: [{ id: actionGroup, name: 'ag-lamp', enabled: true, emailReceivers: [] }] } },
    'channels',
    /ag-lamp has no receiver/,
    /--alert-emails/,
  ],
  [
    'an action group is off',
    { channels: { stdout: [{ id: actionGroup, name: 'ag-lamp', enabled: false, emailReceivers: [{}] }] } },
    'channels',
    /switched off/,
    /--alert-emails/,
  ],
  [
    'an alert rule is off',
    { rules: { stdout: { value: [rule('a'), rule('b', { enabled: false })] } } },
    'channels',
    /alert rules are switched off: b/,
    /alertsEnabled/,
  ],
  [
    'no rule sends to it',
    { rules: { stdout: { value: [] } } },
    'channels',
    /no alert rule sends to ag-lamp/,
    /--from jobs/,
  ],
])('%s', async (_, changes, check, text, remedy) => {
  await script(changes);
  const found = bad(await verify());
  expect(found.map((one) => one.check)).toContain(check);
  expect(found.map((one) => one.text).join('\n')).toMatch(text);
  expect(found.map((one) => one.remedy).join('\n')).toMatch(remedy);
});

test('an app that answers without a token is the first thing to stop', async () => {
  await script();
  behaviour.open = 200;
  const found = bad(await verify());
  expect(found.map(({ text }) => text)).toEqual([
    'GET /health without a token is answered with 200',
    'GET /admin/host/status without a token is answered with 200',
    'POST /api/tick without a token is answered with 200',
  ]);
  expect(found[0]?.remedy).toContain('az functionapp stop');
});

test('a job or a second scheduler that still has another image is found', async () => {
  const old = image.replaceAll('a'.repeat(64), 'c'.repeat(64));
  const value = jobs().map((job) =>
    job.name === 'lamp-score'
      ? job
      : { ...job, properties: { ...job.properties, template: { containers: [{ image: old }] } } },
  );
  await script({ jobs: { stdout: { value } } });
  const found = bad(await verify());
  expect(found.map(({ text }) => text.split(' ')[0])).toEqual(['lamp-pull', 'lampsecond-scheduler']);
  expect(found[0]?.remedy).toContain('lamp deploy --from image');
});

test('an installation without jobs, or with an image by name only, is not right', async () => {
  await script({ jobs: { stdout: { value: [] } } });
  expect(bad(await verify()).map(({ text }) => text)).toContain('there are no Container Apps Jobs');
  const mutable = { ...settings, LAMPLIGHTER_IMAGE: 'cr1.azurecr.io/lamplighter-runtime:latest' };
  await script({ settings: { stdout: Object.entries(mutable).map(([name, value]) => ({ name, value })) } });
  expect(bad(await verify()).map(({ text }) => text)).toContain('LAMPLIGHTER_IMAGE is not an image by its digest');
});

test('a timer that is dead while the second scheduler goes on is found', async () => {
  await script();
  behaviour.ticks = ['2026-11-20T07:00:00.100Z', '2026-11-20T07:05:00.100Z'];
  const [found] = bad(await verify());
  expect(found).toMatchObject({ check: 'ticks', state: 'wrong' });
  expect(found?.text).toMatch(/^one new tick in 15\d s: the timer seems dead/);
});

test('no tick at all is reported with the last one', async () => {
  await script();
  behaviour.ticks = ['2026-11-20T07:00:00.100Z'];
  expect(bad(await verify())[0]?.text).toMatch(/^no new tick in 15\d s; the last one: 2026-11-20T07:00:00\.100Z/);
  behaviour.ticks = [null];
  expect(bad(await verify())[0]?.text).toMatch(/the last one: never/);
});

test('launches that were set aside are found in what the app says, without a right to its queues', async () => {
  await script();
  behaviour.setAside = 2;
  const [found, ...others] = bad(await verify());
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    check: 'poison',
    state: 'wrong',
    text: expect.stringMatching(/^2 messages in launch-poison/),
  });
  expect(found?.remedy).toContain('Launches that were set aside');
  expect(await readFile(join(import.meta.dirname, '../../docs/deploy.md'), 'utf8')).toContain(
    '**Launches that were set aside.**',
  );
  expect((await tools.calls()).filter((line) => line.startsWith('az storage'))).toEqual([]);
});

test('an app of before, which does not report what was set aside, is not taken for one with nothing set aside', async () => {
  await script();
  behaviour.setAside = undefined;
  expect(bad(await verify())).toMatchObject([
    { check: 'poison', state: 'unknown', text: expect.stringMatching(/older version/) },
  ]);
});

test('a token that the app does not let in is reported at once', async () => {
  await script();
  behaviour.wanted = 'Bearer another';
  expect(bad(await verify()).map(({ text }) => text)).toEqual([
    '/health refuses your token with 403',
    'see ticks',
    'see ticks',
  ]);
});

test('what cannot be looked at is not right: it is unknown, and the rest is looked at all the same', async () => {
  const outage = { code: 1, stderr: 'ERROR: HTTPSConnectionPool: Max retries exceeded with url\n' };
  for (const line of Object.keys(lines).filter((name) => name !== 'sites') as Line[]) {
    await script({ [line]: outage });
    const all = await verify();
    const found = bad(all);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ state }) => state === 'unknown')).toBe(true);
    expect(found[0]?.text).toContain('Max retries exceeded');
    expect(all.length).toBeGreaterThan(found.length);
  }
  await script({ sites: outage });
  await expect(verify()).rejects.toThrow(Refusal);
}, 120_000);

test('a token that the Azure CLI may not ask for is reported with what to do', async () => {
  await script({ token: { code: 1, stderr: 'ERROR: AADSTS65001: The user or administrator has not consented\n' } });
  expect(bad(await verify())[0]?.text).toContain('authorise the Azure CLI in the registration');
});

test('lamp verify --json prints every finding and ends with 1 when one is not right', async () => {
  await script({ functions: { stdout: [] }, token: { code: 1, stderr: 'ERROR: no' } });
  const program = await builtLamp();
  const args = [program, '--home', tools.root, 'verify', '--app', 'func-1', '--resource-group', 'rg-1', '--json'];
  const env = { ...process.env, PATH: tools.environment.PATH ?? '' };
  const { stdout, stderr, code } = await promisify(execFile)(process.execPath, args, { env }).then(
    (ended) => ({ ...ended, code: 0 }),
    (error) => error as { stdout: string; stderr: string; code: number },
  );
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(`$ ${lines.sites}`) });
  const { right, findings } = JSON.parse(stdout) as { right: boolean; findings: Finding[] };
  expect(right).toBe(false);
  expect(findings.filter(({ check }) => check === 'functions')).toHaveLength(functionNames.length);
});
