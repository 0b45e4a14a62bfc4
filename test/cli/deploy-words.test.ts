import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deploy as deployCommand, placeholders } from '../../cli/deploy/az.ts';
import { cmdText, commandText } from '../../cli/deploy/command.ts';
import { causes } from '../../cli/deploy/failure.ts';
import { target } from '../../cli/deploy/options.ts';
import { outputNames } from '../../cli/deploy/outputs.ts';
import { openReach } from '../../cli/deploy/reach.ts';
import { registrationBodies } from '../../cli/deploy/registration.ts';
import { appId, deployWorld, given, me, newDigest } from '../support/azure/deploy-world.ts';

deployWorld();

test('the app registration has a scope that the Azure CLI may ask for, version 2 tokens, and nothing secret', () => {
  const bodies = registrationBodies(appId);
  const [scope, client] = Object.values(bodies) as [
    {
      identifierUris: string[];
      api: { requestedAccessTokenVersion: number; oauth2PermissionScopes: { id: string }[] };
    },
    { api: { preAuthorizedApplications: { appId: string; delegatedPermissionIds: string[] }[] } },
  ];
  expect(scope.identifierUris).toEqual([`api://${appId}`]);
  expect(scope.api.requestedAccessTokenVersion).toBe(2);
  const id = scope.api.oauth2PermissionScopes[0]?.id;
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(client.api.preAuthorizedApplications).toEqual([
    { appId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46', delegatedPermissionIds: [id] },
  ]);
  expect(registrationBodies(appId)).toEqual(bodies);
  expect(JSON.stringify(bodies)).not.toMatch(/passwordCredentials|keyCredentials/);
});

test('every value that is not what it should be is refused at once, before a shell could read it', () => {
  const wrong = { ...given, name: 'a;rm', resourceGroup: 'x y', base: 'python:3 && true', authClientId: 'me' };
  expect(() => target({ ...wrong, alertEmails: 'ops' }, 'x')).toThrow(
    /--name "a;rm"(.|\n)*--alert-emails "ops"(.|\n)*--resource-group "x y"(.|\n)*--auth-client-id "me"(.|\n)*--base/,
  );
});

test('commands are shown as a shell takes them, and given to cmd.exe without operators', () => {
  expect(commandText({ argv: ['az', 'x', "it's"], env: { A: '["b"]' }, folder: 'dist/app' })).toBe(
    `(cd dist/app && A='["b"]' az x 'it'\\''s')`,
  );
  expect(cmdText(['az.cmd', 'https://x?a=1&b=2'])).toBe('"az.cmd" "https://x?a=1&b=2"');
  expect(() => cmdText(['a"b'])).toThrow('safely');
});

test('infra/ reads every variable that a deployment sets, and gives every output that it goes on with', async () => {
  const infra = join(import.meta.dirname, '../../infra');
  const main = await readFile(join(infra, 'main.bicep'), 'utf8');
  for (const name of outputNames) expect(main).toMatch(new RegExp(`^output ${name} `, 'm'));
  const some = {
    digest: newDigest,
    callerGroups: [me],
    channelsStand: true,
    callerClients: [appId],
    runbookUrl: 'https://x',
  };
  const known = { ...placeholders, ...some, reach: { ...openReach, network: 'private' as const } };
  const set = Object.keys(deployCommand(target(given, 'lamp-dev'), known, 'all').env ?? {});
  expect(set).toHaveLength(15);
  for (const environment of ['dev', 'prod']) {
    const text = await readFile(join(infra, `${environment}.bicepparam`), 'utf8');
    for (const name of set) expect(text).toContain(`'${name}'`);
    expect(text).toMatch(/^param name = '[a-z0-9-]{2,10}'/m);
  }
});

test('docs/deploy.md explains every failure that lamp deploy knows', async () => {
  const text = await readFile(join(import.meta.dirname, '../../docs/deploy.md'), 'utf8');
  expect(causes.length).toBeGreaterThan(15);
  for (const { sign } of causes) expect(text).toContain(sign);
});

test('roles that someone added to the registration by hand stay, and keep their ids', () => {
  const there = [
    { id: 'sales', value: 'operator:Sales' },
    { id: 'theirs', value: 'viewer' },
  ];
  const scope = Object.values(registrationBodies(appId, there))[0] as { appRoles: { id: string; value: string }[] };
  expect(scope.appRoles.map(({ value }) => value)).toEqual([
    'operator:Sales',
    'viewer',
    'operator',
    'admin',
    'auditor',
  ]);
  expect(scope.appRoles.slice(0, 2)).toEqual(there);
});
