import type { IncomingHttpHeaders } from 'node:http';
import { Refused, Violation } from './arm-fault.ts';
import {
  actionOf,
  apiVersion,
  type ExecutionTemplate,
  executionTemplate,
  isConsumptionSize,
  type Route,
} from './arm-schema.ts';

/** What there is, and what the asker may do with it. */
export interface Realm {
  subscription: string;
  group: string;
  jobs: ReadonlyMap<string, Record<string, string>>;
  allowed: ReadonlySet<string>;
}

export const token = 'token-of-the-app';

/** Lets a request in that fits the specification, is allowed, and asks of something that is there. @throws Refused */
export function admit(asked: Route, headers: IncomingHttpHeaders, query: URLSearchParams, realm: Realm): void {
  const { operation, subscription, group, job } = asked;
  if (headers.authorization !== `Bearer ${token}`) {
    throw new Refused(401, 'InvalidAuthenticationToken', 'The access token is invalid.');
  }
  if (query.get('api-version') !== apiVersion) {
    throw new Violation(400, 'InvalidApiVersionParameter', `expected api-version ${apiVersion}`);
  }
  // The specification has $filter for listings, and Azure answers 400 to whatever it is given.
  const known = ['api-version', ...(operation === 'list' ? ['$skipToken'] : [])];
  const unknown = [...query.keys()].filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Violation(400, 'InvalidParameterValue', `The parameter ${unknown.join()} has an invalid value.`);
  }
  if (operation === 'start' && !headers['content-type']?.startsWith('application/json')) {
    throw new Violation(415, 'UnsupportedMediaType', 'a start has a JSON body');
  }
  if (subscription !== realm.subscription) {
    throw new Refused(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`);
  }
  if (!realm.allowed.has(actionOf[operation])) {
    const scope = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.App/jobs/${job}`;
    const what = `does not have authorization to perform action '${actionOf[operation]}' over scope '${scope}'`;
    throw new Refused(403, 'AuthorizationFailed', `The client 'x' with object id 'x' ${what} or the scope is invalid.`);
  }
  if (operation === 'poll') return;
  if (group !== realm.group) {
    throw new Refused(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`);
  }
  if (realm.jobs.has(job)) return;
  const what = `The Resource 'Microsoft.App/jobs/${job}' under resource group '${group}' was not found.`;
  throw new Refused(404, 'ResourceNotFound', what);
}

/** The body of a start, as a job with these secrets can run it. @throws Refused */
export function admitTemplate(body: string, secrets: Record<string, string>): ExecutionTemplate {
  const read = executionTemplate.safeParse(parse(body));
  if (!read.success) {
    const what = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    throw new Violation(400, 'InvalidRequestContent', what);
  }
  for (const { name, env = [], resources } of read.data.containers) {
    if (resources && !isConsumptionSize(resources)) {
      const what = `${JSON.stringify(resources)} is none of the sizes of the Consumption plan.`;
      throw new Refused(400, 'ContainerAppInvalidResourceTotal', what);
    }
    const lacking = env.find(({ secretRef }) => secretRef !== undefined && !(secretRef in secrets))?.secretRef;
    if (lacking === undefined) continue;
    const what = `SecretRef '${lacking}' defined for container '${name}' not found.`;
    throw new Refused(400, 'ContainerAppSecretRefNotFound', what);
  }
  return read.data;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Violation(400, 'InvalidRequestContent', 'the body is not JSON');
  }
}
