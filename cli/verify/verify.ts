import type { Run } from '../deploy/run.ts';
import { Refusal } from '../refusal.ts';
import * as azure from './azure.ts';
import { type Asked, type Finding, unknown, wrong } from './finding.ts';
import { type Answers, firstLabel, groupOf, installation, withImage } from './installation.ts';
import * as judge from './judge.ts';
import { roleFindings, secretFindings } from './roles.ts';
import { tickFinding, type Watch } from './ticks.ts';

export interface VerifyOptions {
  /** Name or address of the function app. */
  app: string;
  resourceGroup?: string;
}

export type Patience = Pick<Watch, 'every' | 'patience' | 'clock' | 'sleep'>;

/** Looks at everything that must be right for jobs to run. Changes nothing. @throws Refusal when there is no such app */
export async function findings(run: Run, options: VerifyOptions, patience: Patience): Promise<Finding[]> {
  const site = await findSite(run, options);
  const result: Finding[] = [];
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
  const both: Asked<azure.ContainerJob[]> = 'why' in settings ? settings : jobs;
  add('image', both, (all) =>
    judge.imageFindings(map.get('LAMPLIGHTER_IMAGE'), withImage(all, map.get('LAMPLIGHTER_JOB_PREFIX') ?? '')),
  );

  result.push(...(await permissions(run, site, settings, map, jobs)));
  add('channels', await azure.ask(run, azure.listChannels(site), azure.channels), judge.channelFindings);
  result.push(
    await poison(run, site, 'why' in settings ? '' : (map.get('LAMPLIGHTER_STORAGE__queueServiceUri') ?? '')),
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

async function poison(run: Run, { id }: azure.Site, queues: string): Promise<Finding> {
  const account = firstLabel(queues);
  if (account === '')
    return unknown('poison', 'the settings of the app are not known, or do not name the data account');
  const peeked = await azure.ask(run, azure.peekPoison(account), azure.messages);
  if ('value' in peeked) return judge.poisonFinding(peeked.value);
  // Owner of the group is not enough to look into a queue.
  const scope = `${groupOf(id)}/providers/Microsoft.Storage/storageAccounts/${account}`;
  const remedy = `when you may not: az role assignment create --role "Storage Queue Data Reader" --assignee <you> --scope ${scope}`;
  return { ...unknown('poison', peeked.why), remedy };
}

async function permissions(
  run: Run,
  site: azure.Site,
  settings: Asked<unknown>,
  map: Map<string, string>,
  jobs: Asked<azure.ContainerJob[]>,
): Promise<Finding[]> {
  const asked = {
    identities: await azure.ask(run, azure.listIdentities(site), azure.identities),
    roles: await azure.ask(run, azure.listRoles(site), azure.roles),
    registries: await azure.ask(
      run,
      azure.listResources(site, 'Microsoft.ContainerRegistry/registries'),
      azure.resources,
    ),
    insights: await azure.ask(run, azure.listResources(site, 'Microsoft.Insights/components'), azure.resources),
    assignments: await azure.askAll(run, azure.listAssignments(site), azure.assignment),
  };
  const whys = [settings, jobs, ...Object.values(asked)].flatMap((one) => ('why' in one ? [one.why] : []));
  const { identities, roles, registries, insights, assignments } = asked;
  if (
    'why' in jobs ||
    'why' in identities ||
    'why' in roles ||
    'why' in registries ||
    'why' in insights ||
    'why' in assignments ||
    whys.length > 0
  ) {
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
  const all = assignments.value.map(({ properties }) => properties);
  return [...roleFindings(stands, all), ...secretFindings(stands, all, identities.value)];
}

/** What only a call shows. */
async function behaviour(run: Run, site: azure.Site, patience: Patience): Promise<Finding[]> {
  const result: Finding[] = [];
  const url = /^(127\.0\.0\.1|localhost)(:|$)/.test(site.defaultHostName)
    ? `http://${site.defaultHostName}`
    : `https://${site.defaultHostName}`;
  const authentication = await azure.ask(run, azure.showAuthentication(site), azure.authentication);
  if ('why' in authentication)
    return [unknown('authentication', authentication.why), unknown('ticks', 'see authentication')];
  const { platform, globalValidation, identityProviders } = authentication.value.properties;
  result.push(
    ...judge.authenticationFindings({
      enabled: platform.enabled,
      required: globalValidation.requireAuthentication,
      open: globalValidation.excludedPaths ?? [],
    }),
  );
  for (const [method, path] of [
    ['GET', '/health'],
    ['POST', '/api/tick'],
  ] as const) {
    const status = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(30_000),
    }).then(
      (answer) => answer.status,
      () => null,
    );
    result.push(judge.refusalFinding(`${method} ${path}`, status));
  }
  const { clientId } = identityProviders.azureActiveDirectory.registration;
  const token = await azure.ask(run, azure.token(clientId), azure.accessToken);
  if ('why' in token) result.push(unknown('ticks', token.why));
  else result.push(await tickFinding({ ...patience, url, token: token.value.accessToken }));
  return result;
}
