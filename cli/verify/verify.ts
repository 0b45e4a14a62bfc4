import type { Instant } from '../../shared/instant.ts';
import { endings } from '../deploy/ends.ts';
import type { Run } from '../deploy/run.ts';
import { Refusal } from '../refusal.ts';
import * as azure from './azure.ts';
import { behaviour } from './behaviour.ts';
import { type Asked, type Finding, unknown, wrong } from './finding.ts';
import { type Answers, installation, withImage } from './installation.ts';
import * as judge from './judge.ts';
import { installationName, type Leftover, leftoverFindings, leftovers } from './leftover.ts';
import { networkFindings, type OwnNetwork, ownNetwork } from './network.ts';
import { roleFindings, secretFindings } from './roles.ts';
import type { Patience } from './ticks.ts';

export interface VerifyOptions {
  /** Name or address of the function app. */
  app: string;
  resourceGroup?: string;
}

/** The repository that verify runs in, and when. */
export interface Here {
  files: ReadonlyMap<string, string>;
  now: Instant;
}

/** Looks at everything that must be right for jobs to run. Changes nothing. @throws Refusal when there is no such app */
export async function findings(run: Run, options: VerifyOptions, patience: Patience, here: Here): Promise<Finding[]> {
  const site = await findSite(run, options);
  const result: Finding[] = judge.endFindings(endings(here.files, here.now));
  const add = <T>(check: string, asked: Asked<T>, findings: (value: T) => Finding[]) => {
    result.push(...('why' in asked ? [unknown(check, asked.why)] : findings(asked.value)));
  };
  if (site.state !== 'Running')
    result.push(
      wrong(
        'functions',
        `the app is ${site.state}`,
        `az functionapp start --name ${site.name} --resource-group ${site.resourceGroup}`,
      ),
    );
  add('functions', await azure.ask(run, azure.listFunctions(site), azure.functions), judge.functionFindings);

  const settings = await azure.ask(run, azure.listSettings(site), azure.settings);
  const map = new Map('value' in settings ? settings.value.map(({ name, value }) => [name, value ?? '']) : []);
  const jobs = await azure.askAll(run, azure.listJobs(site), azure.job);
  const identities = await azure.ask(run, azure.listIdentities(site), azure.identities);
  const left = await notDeployed(run, site, { settings, map, jobs, identities });
  const over = 'value' in left ? left.value.over : [];
  // They have an old image and, when a person has begun to remove them, not all roles: none of that is to be fixed.
  const now = 'why' in jobs ? jobs : { value: jobs.value.filter((job) => over.every((one) => one.job !== job)) };
  const both: Asked<azure.ContainerJob[]> = 'why' in settings ? settings : now;
  add('image', both, (all) =>
    judge.imageFindings(map.get('LAMPLIGHTER_IMAGE'), withImage(all, map.get('LAMPLIGHTER_JOB_PREFIX') ?? '')),
  );

  const assignments = await azure.askAll(run, azure.listAssignments(site), azure.assignment);
  const facts = { settings, map, jobs: now, identities };
  result.push(...(await permissions(run, site, facts, withoutSecretsOf(over, assignments))));
  if ('why' in left) result.push(unknown('leftovers', left.why));
  else add('leftovers', assignments, (all) => leftoverFindings(left.value.over, all));
  if ('value' in left && left.value.network) result.push(...(await networkFindings(run, site, left.value.network)));
  const rules = await azure.askAll(run, azure.listRules(site), azure.rule);
  const groups: Asked<Record<string, unknown>[]> =
    'why' in rules ? rules : await azure.ask(run, azure.listChannels(site), azure.channels);
  const own = 'value' in identities && identities.value.find(({ clientId }) => clientId === map.get('AZURE_CLIENT_ID'));
  const called = installationName(own ? own.name : '');
  add('channels', groups, (all) =>
    called === undefined
      ? [unknown('channels', 'the name of the installation is not known: see roles')]
      : judge.channelFindings(all, 'value' in rules ? rules.value : [], `ag-${called}`),
  );
  result.push(...(await behaviour(run, site, patience)));
  return result;
}

async function findSite(run: Run, { app, resourceGroup }: VerifyOptions): Promise<azure.Site> {
  const asked = await azure.ask(run, azure.listSites(resourceGroup), azure.site.array());
  if ('why' in asked) throw new Refusal(asked.why);
  const host = URL.parse(app)?.host;
  const found = asked.value.filter(({ name, defaultHostName }) =>
    host ? defaultHostName.toLowerCase() === host : name.toLowerCase() === app.toLowerCase(),
  );
  if (found[0] !== undefined && found.length === 1) return found[0];
  const where = resourceGroup ?? 'the subscription that az is set to';
  const names = asked.value.map(({ name }) => name).join(', ') || 'none';
  throw new Refusal(
    `There ${found.length === 0 ? 'is no' : 'is more than one'} function app ${app} in ${where}; it has: ${names}`,
  );
}

/** What is asked for once and looked at several times. */
interface Facts {
  settings: Asked<unknown>;
  map: Map<string, string>;
  jobs: Asked<azure.ContainerJob[]>;
  identities: Asked<Answers['identities']>;
}

/** What stands and is not deployed any more; and the network of the installation, if it has one. */
async function notDeployed(
  run: Run,
  site: azure.Site,
  { settings, map, jobs, identities }: Facts,
): Promise<Asked<{ over: Leftover[]; network: OwnNetwork | undefined }>> {
  if ('why' in settings) return settings;
  if ('why' in jobs) return jobs;
  if ('why' in identities) return identities;
  const app = identities.value.find(({ clientId }) => clientId === map.get('AZURE_CLIENT_ID'));
  const name = installationName(app?.name ?? '');
  if (name === undefined) return { why: 'the identity that AZURE_CLIENT_ID names is not called id-<name>-app' };
  const last = await azure.ask(run, azure.showDeployed(site, name), azure.deployed);
  if ('why' in last) return last;
  const { outputs, parameters } = last.value.properties;
  if (!outputs) return { why: `the last deployment of ${name} did not finish, so what belongs to it is not known` };
  const prefix = map.get('LAMPLIGHTER_JOB_PREFIX') ?? '';
  const over = leftovers({ jobs: jobs.value, identities: identities.value, prefix, name }, outputs);
  return { value: { over, network: ownNetwork(parameters?.network?.value, outputs) } };
}

/** A job that is over may go on reading its own secrets until a person removes it; but never the whole vault. */
function withoutSecretsOf(over: Leftover[], asked: Asked<azure.Assignment[]>): Asked<azure.Assignment[]> {
  if ('why' in asked) return asked;
  const theirs = new Set(over.flatMap((one) => one.identities.map(({ principalId }) => principalId)));
  return { value: asked.value.filter((one) => !theirs.has(one.principalId) || !/\/secrets\/[^/]+$/.test(one.scope)) };
}

async function permissions(
  run: Run,
  site: azure.Site,
  { settings, map, jobs, identities }: Facts,
  assignments: Asked<azure.Assignment[]>,
): Promise<Finding[]> {
  const roles = await azure.ask(run, azure.listRoles(site), azure.roles);
  const list = (type: string) => azure.ask(run, azure.listResources(site, type), azure.resources);
  const registries = await list('Microsoft.ContainerRegistry/registries');
  const insights = await list('Microsoft.Insights/components');
  if (
    'why' in settings ||
    'why' in jobs ||
    'why' in identities ||
    'why' in roles ||
    'why' in registries ||
    'why' in insights ||
    'why' in assignments
  ) {
    const asked = [settings, jobs, identities, roles, registries, insights, assignments];
    const whys = asked.flatMap((one) => ('why' in one ? [one.why] : []));
    return ['roles', 'secrets'].map((check) => unknown(check, whys.join('\n')));
  }
  const answers: Answers = {
    settings: map,
    jobs: jobs.value,
    identities: identities.value,
    roles: roles.value,
    registries: registries.value,
    insights: insights.value,
  };
  const stands = installation(site, answers);
  if (Array.isArray(stands))
    return [
      wrong('roles', `missing: ${stands.join('; ')}`, 'lamp deploy --from jobs'),
      unknown('secrets', 'see roles'),
    ];
  return [...roleFindings(stands, assignments.value), ...secretFindings(stands, assignments.value, identities.value)];
}
