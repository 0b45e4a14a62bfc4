import { expect, test } from 'vitest';
import { type Installation, secretFindings } from '../../cli/verify/roles.ts';

const vault = '/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv';
const app = { name: 'id-app', principalId: 'p-app' };
const job = { name: 'id-score', principalId: 'p-score' };
const all = { app, vault, jobs: [{ who: job, secrets: ['crm-api-key'] }] } as unknown as Installation;
const reads = (principalId: string, scope: string) => ({
  id: `${scope}/x`,
  principalId,
  scope,
  roleDefinitionId: '/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6',
});
const found = (...assignments: ReturnType<typeof reads>[]) =>
  secretFindings(all, assignments as never, [app, job]).map(({ state, text }) => `${state} ${text}`);

test('the app may read the secret of an alert channel, and neither one of a job nor the vault', () => {
  const own = reads('p-score', `${vault}/secrets/crm-api-key`);
  expect(found(own, reads('p-app', `${vault}/secrets/teams-ops`)).join()).not.toContain('may read');
  expect(found(own, reads('p-app', `${vault}/secrets/CRM-api-key`)).join()).toContain('id-app may read');
  expect(found(own, reads('p-app', vault)).join()).toContain('id-app may read');
  expect(found(own, reads('p-score', `${vault}/secrets/teams-ops`)).join()).toContain('id-score may read');
});
