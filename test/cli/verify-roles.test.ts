import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { builtIn, jobActions } from '../../cli/verify/roles.ts';
import {
  arm,
  assignment,
  assignments,
  bad,
  group,
  script,
  starter,
  vault,
  verify,
  verifyWorld,
} from '../support/azure/verify-world.ts';

verifyWorld();

test('every role that is missing is named, with whose it is, where, and what for', async () => {
  for (const gone of assignments().slice(0, -1)) {
    const { principalId, scope } = gone.properties;
    const value = assignments().filter(
      ({ properties }) => JSON.stringify(properties) !== JSON.stringify(gone.properties),
    );
    await script({ assignments: { stdout: { value } } });
    const found = bad(await verify());
    expect(found).toHaveLength(1);
    expect(found[0]?.text).toContain(`${principalId.slice(2)} lacks `);
    expect(found[0]?.text).toContain(scope.split('/').at(-1));
  }
}, 120_000);

test('role assignments on a second page are seen', async () => {
  const [first, ...others] = assignments();
  const nextLink = `${arm}/next?api-version=2022-04-01&$skiptoken=a%20b`;
  const second = { line: `az rest --method get --url ${nextLink} --output json`, stdout: { value: [first] } };
  await script({ assignments: { stdout: { value: others, nextLink } } }, [second]);
  expect(bad(await verify())).toEqual([]);
});

test.each([
  ['the secret of another job', 'id-lamp-lamp-score', `${vault}/secrets/crm-api-key`],
  ['every secret of the vault', 'id-lamp-lamp-pull', vault],
  ['every secret of the resource group', 'id-lamp-app', group],
])('an identity that may read %s is found, with the command that ends it', async (_, who, scope) => {
  const value = [...assignments(), assignment(who, builtIn['Key Vault Secrets User'], scope)];
  await script({ assignments: { stdout: { value } } });
  const found = bad(await verify());
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ check: 'secrets', state: 'wrong' });
  expect(found[0]?.text).toContain(`${who} may read`);
  expect(found[0]?.remedy).toBe(
    `az role assignment delete --ids ${assignment(who, builtIn['Key Vault Secrets User'], scope).id}`,
  );
});

test('a role that may list the secrets of jobs is not taken for the one that starts them', async () => {
  const actions = [...jobActions, 'Microsoft.App/jobs/listSecrets/action'];
  await script({ roles: { stdout: [{ name: starter, roleName: 'x', permissions: [{ actions }] }] } });
  const found = bad(await verify());
  expect(found.map(({ text }) => text)).toEqual([
    'id-lamp-app lacks the custom role that starts jobs on jobs/lamp-pull (starting it)',
    'id-lamp-app lacks the custom role that starts jobs on jobs/lamp-score (starting it)',
  ]);
});

test('the roles that are looked for are those that infra/ assigns, by the same ids', async () => {
  const assigned = JSON.parse(await readFile(join(import.meta.dirname, '../../infra/roles.json'), 'utf8'));
  for (const id of Object.values(builtIn)) expect(Object.values(assigned)).toContain(id);
  const starter = await readFile(join(import.meta.dirname, '../../infra/modules/starter.bicep'), 'utf8');
  const actions = [...starter.matchAll(/'(Microsoft\.App\/[^']+)'/g)].map(([, action]) => action);
  expect(actions).toEqual(jobActions);
});
