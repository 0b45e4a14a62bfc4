import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verdict } from '../../cli/commands/verify.ts';
import { showDeployment } from '../../cli/deploy/az.ts';
import { commandText } from '../../cli/deploy/command.ts';
import { defaultBase, target } from '../../cli/deploy/options.ts';
import { deployed as shape } from '../../cli/verify/azure.ts';
import { leftovers } from '../../cli/verify/leftover.ts';
import { builtIn } from '../../cli/verify/roles.ts';
import {
  assignment,
  assignments,
  bad,
  containerJob,
  identities,
  identity,
  image,
  jobId,
  jobs,
  lines,
  registry,
  script,
  starter,
  vault,
  verify,
  verifyWorld,
} from '../support/azure/verify-world.ts';
import { install, sampleIndex } from '../support/infra/installation.ts';

verifyWorld();

const gone = (name = 'lamp-old', more = {}) => {
  const job = containerJob(name, `id-lamp-${name}`, ['old-key']);
  const old = image.replaceAll('a'.repeat(64), 'c'.repeat(64));
  return { ...job, properties: { ...job.properties, template: { containers: [{ image: old }] } }, ...more };
};
const rights = [
  assignment('id-lamp-lamp-old', builtIn.AcrPull, registry),
  assignment('id-lamp-lamp-old', builtIn['Key Vault Secrets User'], `${vault}/secrets/old-key`),
  assignment('id-lamp-app', starter, jobId('lamp-old')),
];
const spare = identity('id-lamp-lamp-old');

const world = (more: Partial<Parameters<typeof script>[0]> = {}) =>
  script({
    jobs: { stdout: { value: [...jobs(), gone()] } },
    identities: { stdout: [...identities(), spare] },
    assignments: { stdout: { value: [...assignments(), ...rights] } },
    ...more,
  });

test('a job that is not deployed any more is reported with the commands that remove all of it, rights first', async () => {
  await world();
  const [found, ...others] = bad(await verify());
  // Its old image and its right to read its own secret are no trouble of their own.
  expect(others).toEqual([]);
  expect(found).toEqual({
    check: 'leftovers',
    state: 'note',
    text: 'the Container Apps Job lamp-old is not deployed any more, and still there, with its identity id-lamp-lamp-old and 3 role assignments',
    remedy: [
      `az role assignment delete --ids ${rights.map(({ id }) => id).join(' ')}`,
      `az resource delete --ids ${jobId('lamp-old')}`,
      `az identity delete --ids ${spare.id}`,
    ].join(' && '),
  });
});

test('it fails no deployment: everything works, and there is something to tidy up', async () => {
  await world();
  const all = await verify();
  expect(verdict(all)).toContain('! leftovers: the Container Apps Job lamp-old');
  expect(verdict(all)).toContain('Everything works; 1 thing to tidy up.');
  expect(verdict(all)).not.toContain('not right');
});

test('one that may read more than its own secrets is wrong all the same', async () => {
  const wide = assignment('id-lamp-lamp-old', builtIn['Key Vault Secrets User'], vault);
  await world({ assignments: { stdout: { value: [...assignments(), ...rights, wide] } } });
  expect(bad(await verify()).map(({ check, state }) => [check, state])).toEqual([
    ['secrets', 'wrong'],
    ['leftovers', 'note'],
  ]);
});

test('what a person has begun to remove is reported as far as it still stands', async () => {
  await world({ jobs: { stdout: { value: jobs() } }, assignments: { stdout: { value: assignments() } } });
  expect(bad(await verify())).toEqual([
    {
      check: 'leftovers',
      state: 'note',
      text: 'the identity id-lamp-lamp-old is not deployed any more, and still there',
      remedy: `az identity delete --ids ${spare.id}`,
    },
  ]);
  await world({
    identities: { stdout: identities() },
    assignments: { stdout: { value: assignments() } },
  });
  expect(bad(await verify()).map(({ remedy }) => remedy)).toEqual([`az resource delete --ids ${jobId('lamp-old')}`]);
});

test('jobs of an earlier prefix are found by their tag, and what others keep in the group is left alone', async () => {
  const other = { ...gone('reports-nightly', { tags: { team: 'Finance' } }) };
  const before = gone('nightly-pull', { tags: { job: 'pull', application: 'lamplighter' } });
  await world({
    jobs: { stdout: { value: [...jobs(), other, before] } },
    identities: { stdout: [...identities(), identity('id-finance-app')] },
  });
  expect(bad(await verify()).map(({ text }) => text)).toEqual([
    'the Container Apps Job nightly-pull is not deployed any more, and still there',
  ]);
});

test.each([
  ['did not finish', { stdout: { properties: { provisioningState: 'Failed', outputs: null } } }, /did not finish/],
  ['cannot be found', { code: 3, stderr: 'ERROR: (DeploymentNotFound) Deployment not found\n' }, /DeploymentNotFound/],
])('nothing is called left over when the last deployment %s', async (_, answer, why) => {
  await world({ deployed: answer, jobs: { stdout: { value: jobs() } } });
  const found = bad(await verify()).filter(({ check }) => check === 'leftovers');
  expect(found).toMatchObject([{ state: 'unknown', text: expect.stringMatching(why) }]);
});

test('the deployment that is asked for is the one that lamp deploy makes', async () => {
  const given = target(
    { name: 'lamp', resourceGroup: 'rg-1', environment: 'dev', base: defaultBase, builder: 'acr', from: 'check' },
    'lamp',
  );
  expect(commandText(showDeployment(given, 'all'))).toBe(lines.deployed);
});

test('infra/ reports each job what is looked for: nothing that it has just made is left over', () => {
  const { outputs } = install();
  const reported = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, { value }]));
  const last = shape.parse({ properties: { outputs: reported } }).properties.outputs;
  if (!last) throw new Error('no outputs');
  const made = last.jobs.value.map(({ resource, identity: own }) => ({
    job: containerJob(resource, own),
    who: identity(own),
  }));
  expect(made).toHaveLength(sampleIndex.jobs.length);
  const standing = {
    jobs: [
      ...made.map(({ job }) => job),
      containerJob(last.secondSchedulerName.value, last.secondSchedulerIdentityName.value),
    ],
    identities: [
      ...made.map(({ who }) => who),
      ...[last.appIdentityName.value, last.secondSchedulerIdentityName.value].map(identity),
    ],
    prefix: sampleIndex.prefix,
    name: 'lamp-prod',
  };
  expect(leftovers(standing, last)).toEqual([]);
  const fewer = { ...last, jobs: { value: last.jobs.value.slice(1) } };
  expect(leftovers(standing, fewer)).toEqual([{ job: made[0]?.job, identities: [made[0]?.who] }]);
});

test('docs/deploy.md says how a job is removed', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/deploy.md'), 'utf8');
  const section = /\n## Removing a job\n([\s\S]*?)\n## /.exec(page)?.[1] ?? '';
  for (const words of ['az role assignment delete --ids', 'az resource delete --ids', 'az identity delete --ids'])
    expect(section).toContain(words);
});
