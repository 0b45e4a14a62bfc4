import { expect, test } from 'vitest';
import type { Guarded } from '../../cli/verify/azure.ts';
import { openFindings } from '../../cli/verify/network.ts';
import { answers, bad, deployed, group, rest, script, verify, verifyWorld } from '../support/azure/verify-world.ts';

verifyWorld();

const endpoint = (status: string | null = 'Approved') => ({
  properties: { privateLinkServiceConnectionState: { status } },
});
const guarded = (name: string, properties: Partial<Guarded['properties']> = {}): Guarded => ({
  name,
  properties: { publicNetworkAccess: 'Disabled', privateEndpointConnections: [endpoint()], ...properties },
});

test.each<[string, Partial<Guarded['properties']>, RegExp | null]>([
  ['public access off', {}, null],
  [
    'some addresses let in, and no others',
    { publicNetworkAccess: 'Enabled', networkAcls: { defaultAction: 'Deny' } },
    null,
  ],
  ['a registry with rules', { publicNetworkAccess: 'Enabled', networkRuleSet: { defaultAction: 'Deny' } }, null],
  [
    'public access switched on',
    { publicNetworkAccess: 'Enabled', networkAcls: { defaultAction: 'Allow' } },
    /st1 is open/,
  ],
  ['nothing said of it: Azure means open', { publicNetworkAccess: null }, /st1 is open to every network/],
  ['no endpoint', { privateEndpointConnections: null }, /st1 has no private endpoint/],
  [
    'an endpoint that no one approved',
    { privateEndpointConnections: [endpoint('Pending')] },
    /endpoint of st1 is Pending/,
  ],
])('%s', (_, properties, text) => {
  const [found, ...more] = openFindings([guarded('st1', properties), guarded('kv')]);
  expect(more).toEqual([]);
  expect(found?.state).toBe(text === null ? 'right' : 'wrong');
  if (text) expect(found?.text).toMatch(text);
});

const own = { dataAccountName: 'stdata', hostAccountName: 'sthost', vaultName: 'kv-1', registryName: 'cr1' };
const list = (type: string, version: string) => rest(`${group}/providers/Microsoft.${type}?api-version=${version}`);
/** An installation deployed with this network, and what else is in its group. */
function inNetwork(network: string) {
  const all = deployed();
  const named = Object.entries(own).map(([name, value]) => [name, { type: 'String', value }]);
  const outputs = { ...all.properties.outputs, ...Object.fromEntries(named) };
  return { stdout: { properties: { ...all.properties, outputs, parameters: { network: { value: network } } } } };
}
const open = { publicNetworkAccess: 'Enabled', privateEndpointConnections: null };
const lines = [
  {
    line: list('Storage/storageAccounts', '2025-06-01'),
    stdout: { value: [guarded('stdata'), guarded('STHOST'), guarded('stwebsite', open)] },
  },
  { line: list('KeyVault/vaults', '2026-02-01'), stdout: { value: [guarded('kv-1'), guarded('kv-other', open)] } },
];
const registry = list('ContainerRegistry/registries', '2025-11-01');

test('it is asked for where the installation was deployed with a network, and an outage is not taken for an answer', async () => {
  await script({ deployed: inNetwork('private') }, [...lines, { line: registry, stdout: { value: [] } }]);
  expect((await verify()).find(({ check }) => check === 'network')).toMatchObject({
    state: 'right',
    text: 'stdata, STHOST, kv-1 are reached over private endpoints, not by others',
  });
  await script({ deployed: inNetwork('private') }, [...lines, { line: registry, code: 1, stderr: 'ERROR: 503\n' }]);
  expect(bad(await verify()).map(({ check, state }) => [check, state])).toEqual([['network', 'unknown']]);
});

test.each([
  ['Disabled', []],
  ['Enabled', [/func-1 is open to every network: it was deployed as closed/]],
  [null, [/func-1 is open/]],
])('a closed app whose public access is %s', async (publicNetworkAccess, texts) => {
  const [site] = answers().sites.stdout as object[];
  const sites = { stdout: [{ ...site, publicNetworkAccess }] };
  await script({ sites, deployed: inNetwork('closed') }, [...lines, { line: registry, stdout: { value: [] } }]);
  const found = bad(await verify()).filter(({ check }) => check === 'network');
  expect(found.map(({ text }) => text)).toEqual(texts.map((text) => expect.stringMatching(text)));
});
