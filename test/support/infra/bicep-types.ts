import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { written } from './bicep-evaluate.ts';
import { Later, type Resource } from './bicep-functions.ts';
import type { Problem } from './bicep-syntax.ts';

/** A Go module of Microsoft's that has the Bicep types of 2024 in it. Nothing of it becomes part of this project. */
const module = 'github.com/Azure/terraform-provider-azapi@v1.15.0';

/**
 * Versions that came later than these types: each is checked as the older version named here. That the newer one has the
 * same properties was seen with the real compiler, Bicep 0.49.2, which has no complaint about a type in infra/.
 */
const newer: [prefix: string, version: string, as: string][] = [
  ['Microsoft.App/', '2026-01-01', '2024-03-01'],
  ['Microsoft.ContainerRegistry/', '2025-11-01', '2023-07-01'],
  ['Microsoft.Insights/scheduledQueryRules', '2026-03-01', '2023-12-01'],
  ['Microsoft.KeyVault/', '2026-02-01', '2023-07-01'],
  ['Microsoft.ManagedIdentity/', '2024-11-30', '2023-01-31'],
  ['Microsoft.OperationalInsights/', '2025-07-01', '2023-09-01'],
  ['Microsoft.Storage/', '2025-06-01', '2023-05-01'],
  ['Microsoft.Web/', '2025-03-01', '2023-12-01'],
];
const olderOf = (type: string, version: string): string | undefined =>
  newer.find(([prefix, ours]) => type.startsWith(prefix) && version === ours)?.[2];

/** Properties that infra/ needs and these types lack, each with why. */
const later: Record<string, { added: Record<string, Type>; why: string }> = {
  'Microsoft.App/jobs': {
    added: {
      'properties.configuration.identitySettings': {
        $type: 'ArrayType',
        item: {
          $type: 'ObjectType',
          name: 'IdentitySettings',
          members: {
            identity: { flags: 1, of: { $type: 'StringType' } },
            lifecycle: {
              flags: 0,
              of: {
                $type: 'UnionType',
                of: ['All', 'Init', 'Main', 'None'].map((value) => ({ $type: 'StringLiteralType', value })),
              },
            },
          },
        },
      },
    },
    why: 'keeps tokens of the identity, and so the secrets, from the code of a job; transcribed from the types of 2025-01-01',
  },
};

interface Type {
  $type: string;
  name?: string;
  value?: string;
  /** Of a union. */
  of?: Type[];
  item?: Type;
  members?: Record<string, { flags: number; of: Type }>;
  additional?: Type;
  discriminator?: string;
  elements?: Record<string, Type>;
  minValue?: number;
  maxValue?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
}

const required = 1;
const readOnly = 2;

export interface Types {
  check(resource: Resource): Problem[];
}

/** @returns the types, or the reason why there are none here */
export function findTypes(): Types | string {
  let cache: string;
  try {
    cache = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim();
  } catch {
    return 'there is no `go` that could fetch them';
  }
  const folder = join(
    cache,
    module.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`),
    'internal/azure/generated',
  );
  if (!existsSync(folder)) {
    try {
      execFileSync('go', ['mod', 'download', module], { cwd: '/', stdio: 'pipe', timeout: 120_000 });
    } catch (error) {
      return `${module} cannot be fetched: ${(error as Error).message}`;
    }
  }
  return existsSync(folder) ? readTypes(folder) : `${module} has no types in it`;
}

function readTypes(folder: string): Types {
  const { resources } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
    resources: Record<string, { $ref: string }>;
  };
  const files = new Map<string, RawType[]>();

  function find(type: string, version: string): Type | undefined {
    const reference = resources[`${type}@${version}`]?.$ref;
    if (reference === undefined) return undefined;
    const [path = '', place] = reference.split('#/');
    if (!files.has(path)) files.set(path, JSON.parse(readFileSync(join(folder, path), 'utf8')));
    const all = files.get(path) as RawType[];
    const resource = all[Number(place)];
    return resource?.body && view(resource.body, all);
  }

  return {
    check(resource) {
      const { type, version, at } = resource;
      const found = find(type, olderOf(type, version) ?? version);
      if (!found) return [{ at, text: `there is no ${type}@${version}` }];
      const problems: Problem[] = [];
      checkValue(resource.body, found, { path: '', at, problems, added: later[type]?.added ?? {} });
      return problems;
    },
  };
}

interface RawType {
  $type: string;
  body?: { $ref: string };
  properties?: Record<string, { type: { $ref: string }; flags: number }>;
  additionalProperties?: { $ref: string };
  baseProperties?: Record<string, { type: { $ref: string }; flags: number }>;
  itemType?: { $ref: string };
  elements?: { $ref: string }[] | Record<string, { $ref: string }>;
}

/** A type with its references followed, each when it is asked for: types refer to themselves. */
function view({ $ref }: { $ref: string }, all: RawType[]): Type {
  const raw = all[Number($ref.split('/').at(-1))] as RawType;
  const { properties, baseProperties, additionalProperties, itemType, elements } = raw;
  const members = properties ?? baseProperties;
  return {
    ...(raw as object),
    $type: raw.$type,
    get members() {
      return mapped(members ?? {}, ({ flags, type }) => ({
        flags,
        get of() {
          return view(type, all);
        },
      }));
    },
    get item() {
      return itemType && view(itemType, all);
    },
    get additional() {
      return additionalProperties && view(additionalProperties, all);
    },
    get of() {
      return Array.isArray(elements) ? elements.map((one) => view(one, all)) : undefined;
    },
    get elements() {
      return elements && !Array.isArray(elements) ? mapped(elements, (one) => view(one, all)) : undefined;
    },
  } as Type;
}

function mapped<T, U>(from: Record<string, T>, make: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, make(value)]));
}

interface Place {
  path: string;
  at: string;
  problems: Problem[];
  added: Record<string, Type>;
}

const names: Record<string, string> = {
  StringType: 'string',
  IntegerType: 'int',
  BooleanType: 'bool',
  ArrayType: 'array',
  ObjectType: 'object',
};
const typeName = (type: Type): string =>
  names[type.$type] ?? (type.$type === 'DiscriminatedObjectType' ? 'object' : 'string');

function checkValue(value: unknown, type: Type, place: Place): void {
  const wrong = (text: string) =>
    place.problems.push({ at: place.at, text: `${place.path || 'the resource'} ${text}` });
  if (type.$type === 'AnyType') return;
  if (value instanceof Later) {
    if (value.type !== 'any' && value.type !== typeName(type)) wrong(`is ${value.type}: expected ${typeName(type)}`);
    return;
  }
  const is = Array.isArray(value)
    ? 'array'
    : ({ number: 'int', boolean: 'bool' }[typeof value as string] ?? typeof value);
  if (is !== typeName(type)) {
    wrong(`is ${is}: expected ${typeName(type)}`);
    return;
  }
  if (typeof value === 'string') checkText(value, type, wrong);
  else if (typeof value === 'number') {
    if (value < (type.minValue ?? -Infinity) || value > (type.maxValue ?? Infinity)) {
      wrong(`is ${value}: expected ${type.minValue ?? '…'} to ${type.maxValue ?? '…'}`);
    }
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries())
      if (type.item) checkValue(item, type.item, { ...place, path: `${place.path}[${i}]` });
  } else if (typeof value === 'object' && value !== null)
    checkObject(value as Record<string, unknown>, type, place, wrong);
}

/** A union that also takes any text lists what is known: anything else is most likely a slip. */
function checkText(value: string, type: Type, wrong: (text: string) => void): void {
  const literals = type.$type === 'StringLiteralType' ? [type] : (type.of ?? []);
  const known = literals.flatMap((one) => one.value ?? []);
  if (known.length > 0 && !known.includes(value)) wrong(`is '${value}': expected ${known.join(', ')}`);
  if (value.length < (type.minLength ?? 0) || value.length > (type.maxLength ?? Infinity))
    wrong(`'${value}' is too short or too long`);
  if (type.pattern && !new RegExp(type.pattern).test(value)) wrong(`is '${value}': expected ${type.pattern}`);
}

function checkObject(value: Record<string, unknown>, type: Type, place: Place, wrong: (text: string) => void): void {
  let members = type.members ?? {};
  if (type.discriminator) {
    const chosen = type.elements?.[String(value[type.discriminator])];
    if (!chosen) {
      wrong(
        `has ${type.discriminator} '${String(value[type.discriminator])}': expected ${Object.keys(type.elements ?? {}).join(', ')}`,
      );
      return;
    }
    members = { ...members, ...chosen.members };
  }
  for (const [name, { flags }] of Object.entries(members)) {
    if (flags & required && (value[name] ?? null) === null) wrong(`has no ${name}, which is required`);
  }
  for (const [name, inner] of Object.entries(value)) {
    // To Azure null is as good as nothing.
    if (inner === null) continue;
    const path = place.path ? `${place.path}.${name}` : name;
    const at = written.get(value)?.get(name) ?? place.at;
    const known = members[name];
    const expected = known?.of ?? place.added[path] ?? type.additional;
    if (!expected) wrong(`has ${name}, which is not known; it knows ${Object.keys(members).join(', ')}`);
    else if (known && known.flags & readOnly && !(known.flags & required)) {
      place.problems.push({ at, text: `${path} can only be read` });
    } else checkValue(inner, expected, { ...place, path, at });
  }
}

/** For the report: what is taken on trust. */
export const exceptions = (type: string, version: string): string[] => {
  const as = olderOf(type, version);
  return as === undefined ? [] : [`${type}@${version} is checked as ${as}; seen with Bicep 0.49.2`];
};
