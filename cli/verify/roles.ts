import type { Assignment, ContainerJob } from './azure.ts';
import { type Finding, found, wrong } from './finding.ts';

/** Built-in roles by their ids (Microsoft, "Azure built-in roles"). */
export const builtIn = {
  AcrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d',
  'Key Vault Reader': '21090545-7ca7-4776-b22c-e363652d74d2',
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6',
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb',
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
} as const;

/** All of them read the value of every secret in their scope. */
const readers: Record<string, string> = {
  'Key Vault Secrets User': builtIn['Key Vault Secrets User'],
  'Key Vault Secrets Officer': 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
  'Key Vault Administrator': '00482a5a-887f-4fb3-b363-3b7fe8e74483',
};

/** What starts, stops and reads jobs, and no more: Jobs Operator could list their secrets. */
export const jobActions = [
  'Microsoft.App/jobs/read',
  'Microsoft.App/jobs/start/action',
  'Microsoft.App/jobs/execution/read',
  'Microsoft.App/jobs/executions/*',
  'Microsoft.App/jobs/stop/execution/action',
];

export interface Who {
  name: string;
  principalId: string;
}

export interface Expected {
  who: Who;
  /** Name of the role, for people. */
  role: string;
  roleIds: string[];
  scope: string;
  /** What it is for, for people. */
  for: string;
}

export interface Installation {
  app: Who;
  hostAccount: string;
  dataAccount: string;
  vault: string;
  registry: string;
  insights: string;
  jobs: { resource: ContainerJob; who: Who; secrets: string[] }[];
  secondScheduler: Who | null;
  /** Identities that images are pulled with: one, since it is shared. */
  pullers: Who[];
  /** Ids of the custom roles that let jobs be started. */
  starters: string[];
}

/** Every role that must be there. `docs/deploy.md`, Security, says the same for people. */
export function expectedRoles(all: Installation): Expected[] {
  const { app } = all;
  const give = (who: Who, role: keyof typeof builtIn, scope: string, purpose: string): Expected => {
    return { who, role, roleIds: [builtIn[role]], scope, for: purpose };
  };
  return [
    give(app, 'Storage Blob Data Owner', all.hostAccount, 'the Functions host keeps its locks and the package there'),
    give(app, 'Storage Queue Data Contributor', all.hostAccount, 'the Functions host'),
    give(app, 'Storage Table Data Contributor', all.hostAccount, 'the Functions host'),
    give(
      app,
      'Storage Blob Data Contributor',
      all.dataAccount,
      'results, logs, code of jobs, and the shims’ signatures',
    ),
    give(app, 'Storage Queue Data Contributor', all.dataAccount, 'the queue of launches'),
    give(app, 'Storage Table Data Contributor', all.dataAccount, 'the history'),
    give(app, 'Key Vault Reader', all.vault, 'whether secrets exist and when they expire'),
    give(app, 'Monitoring Metrics Publisher', all.insights, 'telemetry'),
    ...all.jobs.flatMap(({ resource, who, secrets }) => [
      {
        who: app,
        role: 'the custom role that starts jobs',
        roleIds: all.starters,
        scope: resource.id,
        for: 'starting it',
      },
      ...secrets.map((name) =>
        give(who, 'Key Vault Secrets User', `${all.vault}/secrets/${name}`, `the secret ${name}`),
      ),
    ]),
    ...all.pullers.map((who) => give(who, 'AcrPull', all.registry, 'pulling the image')),
  ];
}

const roleId = ({ roleDefinitionId }: Assignment) => (roleDefinitionId.split('/').at(-1) ?? '').toLowerCase();
const last = (scope: string) => scope.split('/').slice(-2).join('/');
const covers = (scope: string, what: string) =>
  `${what}/`.toLowerCase().startsWith(`${scope.replace(/\/$/, '')}/`.toLowerCase());

/** A role that is given higher up is effective as well; whether it should be is a finding of {@link secretFindings}. */
export function roleFindings(all: Installation, assignments: Assignment[]): Finding[] {
  const expected = expectedRoles(all);
  const problems = expected.flatMap(({ who, role, roleIds, scope, for: purpose }) => {
    const has = assignments.some(
      (one) => one.principalId === who.principalId && roleIds.includes(roleId(one)) && covers(one.scope, scope),
    );
    if (has) return [];
    return [
      wrong('roles', `${who.name} lacks ${role} on ${last(scope)} (${purpose})`, 'lamp deploy --from jobs assigns it'),
    ];
  });
  return found('roles', problems, `all ${expected.length} role assignments are there`);
}

/** One secret of the vault that no job has: the address or password of an alert channel, which is the app's to read. */
function isOfChannel({ jobs, vault }: Installation, scope: string): boolean {
  const name = scope.toLowerCase().startsWith(`${vault}/secrets/`.toLowerCase())
    ? last(scope).split('/')[1]
    : undefined;
  return (
    name !== undefined && !jobs.some(({ secrets }) => secrets.some((one) => one.toLowerCase() === name.toLowerCase()))
  );
}

/** Of our identities, only a job's own may read a secret, and each job only its own. */
export function secretFindings(all: Installation, assignments: Assignment[], identities: Who[]): Finding[] {
  const ours = new Map(identities.map((who) => [who.principalId, who]));
  const own = new Set(
    all.jobs.flatMap(({ who, secrets }) =>
      secrets.map((name) => `${who.principalId} ${all.vault}/secrets/${name}`.toLowerCase()),
    ),
  );
  const problems = assignments.flatMap((one) => {
    const role = Object.entries(readers).find(([, id]) => id === roleId(one))?.[0];
    const who = ours.get(one.principalId);
    if (role === undefined || who === undefined || own.has(`${one.principalId} ${one.scope}`.toLowerCase())) return [];
    if (!covers(one.scope, all.vault) && !covers(all.vault, one.scope)) return [];
    if (who.principalId === all.app.principalId && isOfChannel(all, one.scope)) return [];
    const remedy = `az role assignment delete --ids ${one.id}`;
    return [
      wrong('secrets', `${who.name} may read ${last(one.scope)} by ${role}, which is not a secret of its job`, remedy),
    ];
  });
  const count = own.size;
  return found(
    'secrets',
    problems,
    count === 0
      ? 'no job has a secret, and no identity can read one'
      : `each of ${count} secrets of jobs is readable by its own job only`,
  );
}
