import { expect, test } from 'vitest';
import { openReach } from '../../cli/deploy/reach.ts';
import type { Scripted } from '../support/azure/azure-tools.ts';
import {
  again,
  bothJobs,
  create,
  deployed,
  deployWorld,
  first,
  image,
  me,
  newDigest,
  oldDigest,
  pipeline,
  run,
  said,
  secret,
  secrets,
  show,
  tag,
  tools,
  variables,
} from '../support/azure/deploy-world.ts';
import { preflight, services } from '../support/azure/preflight-lines.ts';

deployWorld();

const outside =
  'az rest --method get --url /subscriptions/s-1/resourceGroups/rg-lamp-dev/providers/Microsoft.KeyVault/vaults/kv-1/secrets?api-version=2026-02-01 --output json';
const listed = (...names: string[]) => names.map((name) => ({ name, properties: { attributes: { enabled: true } } }));
const asParameters = (reach: Partial<typeof openReach> & object) =>
  Object.fromEntries(Object.entries({ ...openReach, ...reach }).map(([name, value]) => [name, { value }]));
const asVariables = (network: string, zones = 'off', allowed: string[] = []) => ({
  LAMPLIGHTER_NETWORK: network,
  LAMPLIGHTER_NETWORK_ADDRESS: '10.214.0.0/24',
  LAMPLIGHTER_ALLOWED_ADDRESSES: JSON.stringify(allowed),
  LAMPLIGHTER_ZONES: zones,
});
const providers = (...more: string[]): Scripted => ({
  line: preflight.providers,
  stdout: [...services, ...more].map((name) => ({ namespace: `Microsoft.${name}`, registrationState: 'Registered' })),
});
const regions = 'az functionapp list-flexconsumption-locations --zone-redundant true --output json';
const made = async () => (await tools.calls()).filter((line) => / create |^docker|acr build/.test(line));

test('a first private deployment takes the parameters through, builds here, and looks for secrets by way of management', async () => {
  const docker = [
    'az acr login --name cr1',
    `docker build --pull --build-arg BASE=docker.io/library/python:3.12-slim --platform linux/amd64 --tag cr1.azurecr.io/lamplighter-runtime:${tag} .lamplighter/deploy/image`,
    `docker push cr1.azurecr.io/lamplighter-runtime:${tag}`,
  ];
  const want = asVariables('private', 'off', ['203.0.113.7']);
  const script = first([]).filter(({ line }) => line !== secrets);
  await tools.script([
    {
      line: create('all'),
      env: { ...variables('all'), ...want },
      stdout: deployed({ digest: newDigest, jobs: bothJobs }),
    },
    { line: create('foundation'), env: { ...variables('foundation'), ...want }, stdout: deployed() },
    { line: create('access'), env: { ...variables('access'), ...want }, stdout: deployed() },
    { line: outside, stdout: { value: listed('other'), nextLink: 'https://management.azure.com/next' } },
    {
      line: 'az rest --method get --url https://management.azure.com/next --output json',
      stdout: { value: listed('crm-api-key') },
    },
    ...docker.map((line) => ({ line })),
    providers('Network'),
    ...script.filter(({ line }) => !line.startsWith('az deployment group create') && line !== preflight.providers),
  ]);
  const { error } = await run({ network: 'private', allowedAddresses: '203.0.113.7', builder: 'docker' });
  expect(error).toBeNull();
  expect(await tools.calls()).toEqual(expect.arrayContaining(docker));
});

test('a later deployment keeps the network without being asked for it, and takes other addresses', async () => {
  const more = asParameters({ network: 'private', zones: 'jobs', allowedAddresses: ['203.0.113.7'] });
  const standing = again().map((one) =>
    one.line === show('all') || one.line === show('foundation')
      ? { ...one, stdout: deployed({ digest: oldDigest, jobs: bothJobs, more }) }
      : one,
  );
  const all = standing.find(({ line }) => line === create('all')) as Scripted;
  const script = (allowed: string[]) => [
    { line: outside, stdout: { value: listed('crm-api-key') } },
    { ...all, env: asVariables('private', 'jobs', allowed) },
    ...standing.filter((one) => one !== all && one.line !== secrets),
  ];
  await tools.script(script(['203.0.113.7']));
  expect((await run()).error).toBeNull();
  await tools.script(script([]));
  expect((await run({ allowedAddresses: '' })).error).toBeNull();
});

test.each<[string, Partial<typeof openReach>, Parameters<typeof run>[0], RegExp]>([
  ['a public one is to get a network', {}, { network: 'private' }, /stands without a network, and is to get one/],
  [
    'a private one is to lose it',
    { network: 'private' },
    { network: 'public' },
    /stands in a network, and is to leave it/,
  ],
  [
    'a private one in which the zones need a network still is to be public',
    { network: 'private', zones: 'jobs' },
    { network: 'public' },
    /stands with private endpoints, and is to lose them/,
  ],
  [
    'a public one with the network of its zones is to be private',
    { zones: 'jobs' },
    { network: 'closed' },
    /stands without private endpoints, and is to get them/,
  ],
  [
    'its network is to get other addresses',
    { network: 'closed' },
    { networkAddress: '10.9.0.0/24' },
    /has 10\.214\.0\.0\/24, and is to get 10\.9\.0\.0\/24/,
  ],
  ['one in a network is to be spread', { network: 'private' }, { zones: 'all' }, /zones are off, and are to be all/],
])('what Azure does not change in what stands is refused before anything is made: %s', async (_, before, asked, text) => {
  await tools.script(
    again().map((one) =>
      one.line.startsWith('az deployment group show')
        ? { ...one, stdout: deployed({ digest: oldDigest, jobs: bothJobs, more: asParameters(before) }) }
        : one,
    ),
  );
  const { error } = await run(asked);
  expect(error).toMatch(text);
  expect(error).toContain('deploy a second installation beside it');
  expect(await made()).toEqual([]);
});

test('the builders of a registry that is in a network are not tried: they could not push', async () => {
  await tools.script([providers('Network'), ...first([])]);
  const { error } = await run({ network: 'private' });
  expect(error).toContain('--builder docker');
  expect(await made()).toEqual([]);
  // Of an installation that stands, only when there is something to build.
  const more = asParameters({ network: 'private' });
  const standing = again().map((one) =>
    one.line.startsWith('az deployment group show')
      ? { ...one, stdout: deployed({ digest: oldDigest, jobs: bothJobs, callers: [me, pipeline], more }) }
      : one,
  );
  await tools.script([{ line: outside, stdout: { value: listed('crm-api-key') } }, ...standing]);
  expect((await run()).error).toBeNull();
  await tools.script([
    { line: outside, stdout: { value: listed('crm-api-key') } },
    { line: image(), code: 1, stderr: 'ERROR: the specified tag does not exist\n' },
    ...standing.filter(({ line }) => line !== image()),
  ]);
  expect((await run()).error).toContain('The builders of the registry are outside its network');
});

test('a first deployment that lacks what a network, or spreading, wants is refused before anything is made', async () => {
  await tools.script([
    providers(),
    { line: preflight.permissions, stdout: { value: [{ actions: ['*'], notActions: ['Microsoft.Network/*'] }] } },
    { line: regions, stdout: [{ name: 'North Europe' }, { name: 'eastus' }] },
    ...first([]),
  ]);
  const { error } = await run({ network: 'private', zones: 'all', builder: 'docker' });
  expect(error).toContain('az provider register --wait --namespace Microsoft.Network');
  expect(error).toContain('you may not do Microsoft.Network/privateEndpoints/write');
  expect(error).toContain('westeurope spreads no Flex Consumption app over its buildings');
  expect(await made()).toEqual([]);
});

test('a region that spreads them may be deployed to', async () => {
  const script = first([secret('crm-api-key')]).filter(({ line }) => line !== preflight.providers);
  await tools.script([providers('Network'), { line: regions, stdout: [{ name: 'West Europe' }] }, ...script]);
  expect((await run({ zones: 'all' })).error).toBeNull();
  expect(said.join('\n')).toContain('allow a first deployment');
});

test.each([
  [{ networkAddress: '10.214.0.0/25' }, '--network-address "10.214.0.0/25"'],
  [{ networkAddress: '10.214.0.300/24' }, '--network-address'],
  [{ allowedAddresses: '203.0.113.7/32' }, '--allowed-addresses "203.0.113.7/32"'],
  [{ allowedAddresses: '203.0.113' }, '--allowed-addresses'],
])('%j is refused at once', async (options, text) => {
  await expect(run(options)).rejects.toThrow(text);
});

test.each([
  ['LAMPLIGHTER_NETWORK', 'secret'],
  ['LAMPLIGHTER_ZONES', 'three'],
  ['LAMPLIGHTER_ALLOWED_ADDRESSES', '203.0.113.7'],
])('%s = %s is refused with its name', async (name, value) => {
  await tools.script(again());
  expect((await run({}, { env: { [name]: value } })).error).toContain(name);
  expect(await made()).toEqual([]);
});
