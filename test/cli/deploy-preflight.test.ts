import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeVersion } from '../../cli/deploy/preflight.ts';
import { again, deployWorld, first, run, said, secret, tools } from '../support/azure/deploy-world.ts';
import { preflight } from '../support/azure/preflight-lines.ts';

deployWorld();

test('thirteen callers are refused early, with what to do instead', async () => {
  await tools.script(again());
  const ids = Array.from({ length: 13 }, (_, at) => `11111111-1111-4111-8111-${String(at).padStart(12, '0')}`);
  const before = (await tools.calls()).length;
  const { error } = await run({}, { env: { LAMPLIGHTER_CALLERS: JSON.stringify(ids) } });
  expect(error).toContain('LAMPLIGHTER_CALLERS has 13 ids: expected at most 12, as Azure takes 500 characters of them');
  expect(error).toContain('LAMPLIGHTER_CALLER_GROUPS');
  expect((await tools.calls()).slice(before).some((line) => / create /.test(line))).toBe(false);
});

test('what would stop a first deployment is all said before anything is made', async () => {
  await tools.script([
    {
      line: preflight.permissions,
      stdout: { value: [{ actions: ['*'], notActions: ['Microsoft.Authorization/*/Write'] }] },
    },
    { line: preflight.providers, stdout: [{ namespace: 'Microsoft.App', registrationState: 'NotRegistered' }] },
    { line: preflight.deleted, stdout: [{ name: 'kv-lamp-dev-abcdefgh' }, { name: 'kv-other-abcdefgh' }] },
    { line: preflight.runtimes, stdout: [{ version: '22' }] },
    {
      line: preflight.usages,
      stdout: { value: [{ name: { value: 'ManagedEnvironmentCount' }, currentValue: 15, limit: 15 }] },
    },
    ...first([]),
  ]);
  const { error } = await run();
  expect(error).toContain('nothing has been made');
  expect(error).toContain('you may not do Microsoft.Authorization/roleAssignments/write: you need Owner');
  expect(error).toContain('az provider register --wait --namespace Microsoft.App');
  expect(error).toContain('a deleted vault kv-lamp-dev-abcdefgh is kept');
  expect(error).not.toContain('kv-other');
  expect(error).toContain('westeurope has no Flex Consumption with Node 24 (it has 22)');
  expect(error).toContain('15 of 15 Container Apps environments');
  expect((await tools.calls()).filter((line) => / (create|patch) /.test(line))).toEqual([]);
});

test('what preflight may not look at is said, and stops nothing', async () => {
  await tools.script([
    { line: preflight.usages, code: 1, stderr: 'ERROR: (AuthorizationFailed) no' },
    { line: preflight.runtimes, stdout: 'odd' },
    ...first([secret('crm-api-key')]),
  ]);
  expect((await run()).error).toBeNull();
  expect(said.join('\n')).toContain('Not looked at: room for Container Apps');
  expect(said.join('\n')).toContain('Not looked at: the region’s Node');
});

test('what runs in Azure is the Node that preflight looks for', async () => {
  const app = await readFile(join(import.meta.dirname, '../../infra/modules/app.bicep'), 'utf8');
  expect(app).toContain(`version: '${nodeVersion}'`);
});
