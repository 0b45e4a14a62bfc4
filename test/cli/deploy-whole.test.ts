import { afterEach, expect, test } from 'vitest';
import { minute } from '../../shared/instant.ts';
import type { Faults } from '../support/azure/whole/azure.ts';
import { type Deployed, deployWhole, type Wish } from '../support/azure/whole/whole.ts';

/**
 * `lamp deploy` → `lamp verify` → canary over one Azure: what stands is computed from the templates of infra/, the app is the real
 * API over the real pipeline and executor, and time is the test's.
 */
let done: Deployed | undefined;
afterEach(async () => {
  await done?.close();
  done = undefined;
});

async function deployed(faults: Partial<Faults> = {}, more: Omit<Wish, 'faults'> = {}): Promise<Deployed> {
  done = await deployWhole({ ...more, faults });
  return done;
}
const edit = (path: string, from: string, to: string) => ({
  change: {
    [path]: (text: string) => {
      if (!text.includes(from)) throw new Error(`${path} has no ${from}: the test is stale`);
      return text.replace(from, to);
    },
  },
});

test('a first deployment goes through at the first try: it stands, it ticks, and the canary runs and is stopped', async () => {
  const { error, bad, looks, said } = await deployed();
  expect(error).toBeNull();
  expect(bad).toEqual([]);
  expect(looks).toBe(1);
  expect(said.at(-1)).toBe('\nDone.');
});

const waits = ({ said }: Deployed) =>
  said.filter((line) => /: try \d+ of/.test(line)).map((line) => line.trim().replace(/: try.*/, ''));

test('a pull that fails for three minutes and a 403 of the vault that turns into 200 are waited for, with the reason', async () => {
  const slow = await deployed({ vaultLag: 2 * minute, pullLag: 5 * minute });
  expect(slow.error).toBeNull();
  expect(slow.bad).toEqual([]);
  const thirty = (count: number, why: string) => Array.from({ length: count }, () => why);
  expect(waits(slow)).toEqual([
    ...thirty(4, 'a new right to the vault is not effective yet'),
    ...thirty(6, 'a new role is not effective yet'),
  ]);
});

test('a pull that fails for longer than anyone should wait is named, and goes on from there', async () => {
  const { error, tookMs } = await deployed({ pullLag: 60 * minute });
  expect(error).toContain('unable to pull image using Managed identity');
  expect(error).toContain('the right to pull the image is not effective yet');
  expect(error).toContain('--from image');
  expect(tookMs).toBeLessThan(11 * minute);
});

test('func, which asks /admin/host/status with the master key, is let through; where it is not, that is named', async () => {
  expect((await deployed()).said.join('\n')).not.toContain('The upload went well');
  await done?.close();
  const { error, bad, said } = await deployed(edit('modules/app.bicep', ", '/admin/*']", ']'));
  expect(said.join('\n')).toContain('The upload went well; func got no good answer');
  expect(bad.map(({ check, text }) => [check, text])).toEqual([
    ['authentication', '/admin/* wants a token as well, so func calls each upload unhealthy'],
  ]);
  expect(error).toContain('It is deployed, and something is not right');
});

test('a new workspace, which knows no table yet, is not asked to keep one for longer; were it, that is named', async () => {
  const table = `resource events 'Microsoft.OperationalInsights/workspaces/tables@2025-07-01' = {
  parent: workspace
  name: 'AppEvents'
  properties: { totalRetentionInDays: retentionDays }
}

resource insights `;
  const { error, asked } = await deployed(edit('modules/logs.bicep', 'resource insights ', table));
  expect(error).toContain('The specified table AppEvents was not found');
  expect(asked.some((line) => line.startsWith('func azure'))).toBe(false);
});

test('a stop is checked by the name that Azure makes of its address; a role that lacks it is named, by two checks', async () => {
  const { error, bad } = await deployed(
    edit('modules/starter.bicep', "          'Microsoft.App/jobs/executions/*'\n", ''),
  );
  expect(error).toContain('something is not right');
  const stop = bad.find(({ check }) => check === 'canary stop');
  expect(stop?.text).toMatch(/goes on 4 minutes after it was to stop/);
  expect(stop?.remedy).toContain('Microsoft.App/jobs/executions/stop/action');
  expect(bad.some(({ check, text }) => check === 'roles' && text.includes('starts jobs'))).toBe(true);
});

test('an app that may not start jobs is named by the canary', async () => {
  const { bad } = await deployed(edit('modules/starter.bicep', "          'Microsoft.App/jobs/start/action'\n", ''));
  expect(bad.find(({ check }) => check === 'canary start')?.text).toMatch(/may not be started by the app/);
});

test('a dead timer is brought back by a stop and a start; one that stays dead is named', async () => {
  const revived = await deployed({ deadTimer: 'revives' });
  expect(revived.error).toBeNull();
  expect(revived.bad).toEqual([]);
  expect(revived.looks).toBe(2);
  await done?.close();
  const { error, bad } = await deployed({ deadTimer: 'stays' });
  expect(error).toContain('something is not right');
  expect(bad.find(({ check }) => check === 'ticks')?.text).toMatch(/no new tick|the timer seems dead/);
});

test('a secret that IT has not set stops it before anything runs, with the line that sets it', async () => {
  const { error, asked } = await deployed({ secrets: ['key-0'] });
  expect(error).toContain('key-1 of job-1 is missing: az keyvault secret set --vault-name kv-lamp-dev-');
  expect(error).toContain('--from access');
  expect(asked.some((line) => line.includes('-all '))).toBe(false);
});

test('five hundred jobs go the same way', async () => {
  const { error, bad, asked } = await deployed({}, { jobs: 500 });
  expect(error).toBeNull();
  expect(bad).toEqual([]);
  // Nothing is asked for each job.
  expect(asked.length).toBeLessThan(60);
});

test('a private installation is deployed from outside: nothing of it is asked of the vault itself, and all of it is looked at', async () => {
  const { error, bad, asked } = await deployed(
    {},
    { options: { network: 'private', zones: 'jobs', builder: 'docker' } },
  );
  expect(error).toBeNull();
  expect(bad).toEqual([]);
  expect(asked.some((line) => line.startsWith('az keyvault secret list'))).toBe(false);
});

test('what is open to others in a private installation is named', async () => {
  const open = (text: string) =>
    text
      .replace('publicNetworkAccess: access.public', "publicNetworkAccess: 'Enabled'")
      .replace('access.others', "'Allow'");
  const { bad } = await deployed(
    { change: { 'modules/vault.bicep': open } },
    { options: { network: 'private', builder: 'docker' } },
  );
  expect(bad.map(({ check, text }) => [check, text])).toEqual([
    ['network', expect.stringMatching(/^kv-lamp-dev-\w+ is open to every network/)],
  ]);
});

test('a closed one: from outside its deployment ends well and names what was not looked at; from inside all is right', async () => {
  const options = { network: 'closed', builder: 'docker' } as const;
  const outside = await deployed({}, { options });
  expect(outside.error).toBeNull();
  expect(outside.bad.map(({ check, state }) => `${check} ${state}`)).toEqual([
    'ticks note',
    'poison note',
    'canary note',
  ]);
  await done?.close();
  const inside = await deployed({}, { options, inside: true });
  expect(inside.error).toBeNull();
  expect(inside.bad).toEqual([]);
});
