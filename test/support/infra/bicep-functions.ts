import { createHash } from 'node:crypto';

/** A value that only Azure knows, when it deploys. */
export class Later {
  /** The expression it stands for. */
  readonly text: string;
  /** Bicep's name for its type; `any` when it is not known. */
  readonly type: string;
  /** Whose property it is. */
  readonly of: Resource | undefined;
  constructor(text: string, type = 'any', of?: Resource) {
    this.text = text;
    this.type = type;
    this.of = of;
  }
}

/** A resource that a file declares or refers to. */
export interface Resource {
  symbol: string;
  type: string;
  version: string;
  name: unknown;
  id: string;
  existing: boolean;
  /** What an extension, such as a role assignment, is put on. */
  scope: Resource | undefined;
  body: Record<string, unknown>;
  at: string;
  /** The module that has it. */
  module: string;
}

export const group = {
  id: '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-sample',
  name: 'rg-sample',
  location: 'westeurope',
};
const subscriptionId = '00000000-0000-0000-0000-000000000001';
const tenantId = '00000000-0000-0000-0000-00000000000f';

const digest = (values: unknown[]) => createHash('sha256').update(values.map(String).join('\n')).digest('hex');

/** Not Azure's own numbers, but as surely the same for the same words. */
function guid(...values: unknown[]): string {
  return digest(values).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

/** The part of a network with this number, of parts of this size. */
function cidrSubnet(network: string, bits: number, index: number): string {
  const [address = '', size] = network.split('/');
  const first = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + index * 2 ** (32 - bits);
  if ((index + 1) * 2 ** (32 - bits) > 2 ** (32 - Number(size))) throw new Error(`${network} has no /${bits} ${index}`);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${bits}`;
}

type Call = (...values: never[]) => unknown;

/** Bicep's functions, as far as infra/ uses them. Given a {@link Later}, they are not called. */
export const functions: Record<string, Call> = {
  any: (value: unknown) => value,
  cidrSubnet,
  bool: (text: string) => text === 'true',
  concat: (...lists: unknown[][]) => lists.flat(),
  empty: (value: string | unknown[]) => value.length === 0,
  environment: () => ({
    authentication: { loginEndpoint: 'https://login.microsoftonline.com/' },
    portal: 'https://portal.azure.com',
    resourceManager: 'https://management.azure.com/',
    suffixes: { storage: 'core.windows.net' },
  }),
  flatten: (lists: unknown[][]) => lists.flat(),
  guid,
  join: (list: unknown[], by: string) => list.map(String).join(by),
  json: (text: string) => (/^[[{]/.test(text) ? JSON.parse(text) : new Later(`json('${text}')`)),
  length: (value: string | unknown[]) => value.length,
  map: (list: unknown[], each: (value: unknown) => unknown) => list.map((value) => each(value)),
  max: (...numbers: number[]) => Math.max(...numbers),
  range: (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at),
  replace: (text: string, from: string, to: string) => text.replaceAll(from, to),
  resourceGroup: () => group,
  skip: (value: string | unknown[], count: number) => value.slice(count),
  split: (text: string, by: string) => text.split(by),
  string: (value: unknown) => String(value),
  subscription: () => ({ subscriptionId, id: `/subscriptions/${subscriptionId}`, tenantId }),
  resourceId: (type: string, ...names: string[]) => {
    const [provider, ...kinds] = type.split('/');
    return `${group.id}/providers/${provider}/${kinds.map((kind, at) => `${kind}/${names[at]}`).join('/')}`;
  },
  subscriptionResourceId: (type: string, name: string) => `/subscriptions/${subscriptionId}/providers/${type}/${name}`,
  take: (value: string | unknown[], count: number) => value.slice(0, count),
  tenant: () => ({ tenantId }),
  toLower: (text: string) => text.toLowerCase(),
  union: (...all: (unknown[] | object)[]) =>
    all.every(Array.isArray) ? [...new Set((all as unknown[][]).flat())] : Object.assign({}, ...all),
  uniqueString: (...values: unknown[]) => digest(values).slice(0, 13).replaceAll(/[01]/g, 'z'),
};
