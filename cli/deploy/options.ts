import { Refusal } from '../refusal.ts';

/** In this order; each may be done again, and `--from` begins at any of them. */
export const steps = ['check', 'package', 'infra', 'access', 'image', 'jobs', 'app', 'verify'] as const;
export type Step = (typeof steps)[number];

export const environments = ['dev', 'prod'] as const;
export const builders = ['acr', 'docker'] as const;
export const networks = ['public', 'private', 'closed'] as const;
export const zoneChoices = ['off', 'jobs', 'all'] as const;

/** As they come from the command line. */
export interface DeployOptions {
  name?: string;
  resourceGroup?: string;
  location?: string;
  subscription?: string;
  environment: (typeof environments)[number];
  authClientId?: string;
  alertEmails?: string;
  image?: string;
  /** Resource id of the registry that has `image`, when this installation's lacks it. */
  imageFrom?: string;
  base: string;
  uv?: string;
  builder: (typeof builders)[number];
  rebuild?: boolean;
  network?: (typeof networks)[number];
  networkAddress?: string;
  /** With commas between them; empty: none. */
  allowedAddresses?: string;
  zones?: (typeof zoneChoices)[number];
  from: Step;
  yes?: boolean;
  dryRun?: boolean;
  whatIf?: boolean;
}

/** What is deployed and where to. */
export interface Target extends Omit<DeployOptions, 'resourceGroup' | 'name'> {
  name: string;
  group: string;
}

const part = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)';
const address = `${part}(\\.${part}){3}`;
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Their values become words of a command line, and of cmd.exe's on Windows: nothing else may be in them. */
const rules: [keyof Target, RegExp, string][] = [
  ['name', /^(?=.{2,10}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/, '2 to 10 lower-case letters, digits and single hyphens'],
  ['alertEmails', /^[^\s@,;"']+@[^\s@,;"']+(,[^\s@,;"']+@[^\s@,;"']+)*$/, 'e-mail addresses, with commas between them'],
  ['group', /^[\w.()-]{0,89}[\w()-]$/, 'letters, digits, . _ ( ) and -, at most 90 characters'],
  ['location', /^[a-z0-9]+$/, 'a region as az writes it, e.g. westeurope (az account list-locations --output table)'],
  ['subscription', /^[\w .()-]+$/, 'the id or the name of a subscription (az account list --output table)'],
  ['authClientId', guid, 'the application (client) id of an Entra app registration, a GUID'],
  ['image', /^([\w./:-]+@)?sha256:[0-9a-f]{64}$/, 'an image by its digest: sha256:… or registry/name@sha256:…'],
  [
    'imageFrom',
    /^\/subscriptions\/[\w-]+\/resourceGroups\/[\w.()-]+\/providers\/Microsoft\.ContainerRegistry\/registries\/[a-zA-Z0-9]+$/i,
    'the resource id of a registry (az acr show --name <registry> --query id --output tsv)',
  ],
  [
    'networkAddress',
    new RegExp(`^${address}/([89]|1\\d|2[0-4])$`),
    'addresses of a network of at least a /24, e.g. 10.214.0.0/24',
  ],
  [
    'allowedAddresses',
    new RegExp(`^(${address}(/([89]|[12]\\d|30))?(,|$))*$`),
    'public IPv4 addresses or ranges up to /30, with commas between them, e.g. 203.0.113.7,198.51.100.0/28',
  ],
  ['base', /^[\w./:@-]+$/, 'an image with Python 3.10 or newer, e.g. python:3.12-slim'],
];

/**
 * @param named what infra/<environment>.bicepparam calls the installation, unless the command line does
 * @throws Refusal that reports everything that is wrong
 */
export function target({ resourceGroup, name, ...options }: DeployOptions, named: string): Target {
  const chosen = name ?? named;
  const given: Target = { ...options, name: chosen, group: resourceGroup ?? `rg-${chosen}` };
  const flag = (key: string) =>
    `--${key === 'group' ? 'resource-group' : key.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
  const problems = rules.flatMap(([key, pattern, expected]) => {
    const value = given[key];
    if (value === undefined || pattern.test(String(value))) return [];
    return [`${flag(key)} ${JSON.stringify(value)}: expected ${expected}`];
  });
  if (problems.length > 0) throw new Refusal(problems.join('\n'));
  return given;
}

/** The options that a person gives again to go on: those that are not as they would be anyway. */
export function optionWords(given: Target): string[] {
  const {
    name,
    group,
    environment,
    location,
    subscription,
    authClientId,
    alertEmails,
    image,
    imageFrom,
    base,
    uv,
    builder,
    network,
    networkAddress,
    allowedAddresses,
    zones,
  } = given;
  const words = ['--name', name, '--resource-group', group, '--environment', environment];
  const maybe = {
    location,
    subscription,
    'auth-client-id': authClientId,
    'alert-emails': alertEmails,
    image,
    'image-from': imageFrom,
    uv,
    network,
    'network-address': networkAddress,
    'allowed-addresses': allowedAddresses,
    zones,
  };
  for (const [flag, value] of Object.entries(maybe)) if (value !== undefined) words.push(`--${flag}`, value);
  if (base !== defaultBase) words.push('--base', base);
  if (builder !== 'acr') words.push('--builder', builder);
  if (given.rebuild) words.push('--rebuild');
  return words;
}

/** A variable has JSON, as those of callers do. @throws Refusal */
export function allowedText(json: string | undefined): string | undefined {
  if (!json) return undefined;
  try {
    const text = (JSON.parse(json) as string[]).join(',');
    if (rules.every(([key, pattern]) => key !== 'allowedAddresses' || pattern.test(text))) return text;
  } catch {
    // Reported below.
  }
  throw new Refusal(`LAMPLIGHTER_ALLOWED_ADDRESSES is ${json}: expected JSON such as ["203.0.113.7"]`);
}

export const defaultBase = 'docker.io/library/python:3.12-slim';
