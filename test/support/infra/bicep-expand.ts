import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { each, evaluate, isResource, type Scope, type Turn, turn, within } from './bicep-evaluate.ts';
import { group, Later, type Resource } from './bicep-functions.ts';
import { type Declaration, type Node, type Problem, parseBicep, type Source } from './bicep-syntax.ts';

export interface Files {
  /** Where infra/ is. */
  root: string;
  /** Text instead of what is on the disk, or of what is not there, by path within infra/. */
  instead?: Record<string, string>;
}

/** A module as it was called. */
export interface Called {
  name: string;
  path: string;
  wanted: boolean;
  /** Names of the modules that are deployed before it. */
  after: string[];
  /** Names of the modules that it calls itself: who waits for it waits for them. */
  inner: string[];
  outputs: Record<string, unknown>;
}

export interface Expanded {
  /** Of all modules; neither those that are only referred to nor those whose condition does not hold. */
  resources: Resource[];
  /** What is referred to, and is expected to be there. */
  existing: Resource[];
  outputs: Record<string, unknown>;
  modules: Called[];
  problems: Problem[];
}

const read = new Map<string, Source>();

export function readSource({ root, instead }: Files, path: string): Source {
  const text = instead?.[path] ?? readFileSync(join(root, path), 'utf8');
  const key = `${path}\n${text}`;
  const known = read.get(key) ?? parseBicep(path, text);
  read.set(key, known);
  return known;
}

/**
 * What a template deploys with these parameters: all loops done, all modules called, all names computed.
 * What only Azure knows is a {@link Later}.
 */
export function expand(files: Files, path: string, params: Record<string, unknown>, module = ''): Expanded {
  const source = readSource(files, path);
  const all: Expanded = { resources: [], existing: [], outputs: {}, modules: [], problems: [...source.problems] };
  const memory = new Map<string, unknown>();
  const scope: Scope = {
    path,
    problems: all.problems,
    find(name) {
      const declaration = source.declarations.find((one) => one.name === name && one.kind !== 'output');
      if (!declaration) return undefined;
      if (!memory.has(name)) {
        memory.set(name, new Later(name)); // the one that asks meanwhile asks in a circle
        memory.set(name, meaning(declaration));
      }
      return { value: memory.get(name) };
    },
    load: (name, args, at) => load(files, path, name, args, at, all.problems),
  };
  const at = (declaration: Declaration) => `${path}:${declaration.line}`;

  function meaning(declaration: Declaration): unknown {
    if (declaration.kind === 'param') return parameter(declaration);
    if (declaration.kind === 'var') return declaration.value && evaluate(declaration.value, scope);
    const looped = declaration.value?.type === 'for_statement';
    const turns = looped && declaration.value ? each(declaration.value, scope) : [turn(declaration.value, scope)];
    const made = turns.map((one) => (declaration.kind === 'module' ? call(declaration, one) : head(declaration, one)));
    return looped ? made : made[0];
  }

  function parameter(declaration: Declaration): unknown {
    if (Object.hasOwn(params, declaration.name)) return params[declaration.name];
    if (declaration.value) return evaluate(declaration.value, scope);
    all.problems.push({ at: at(declaration), text: `the parameter ${declaration.name} is not given` });
    return new Later(declaration.name, declaration.type);
  }

  /** What others can say of a resource: enough to compute its id. The rest comes when all are known. */
  function head(declaration: Declaration, { body, scope: here, wanted }: Turn): Resource {
    const [type = '', version = ''] = declaration.target.split('@');
    const given = (key: string) => {
      const property = body?.parts.find((one) => one.parts[0]?.text === key);
      const value = property?.parts.at(-1);
      return value && evaluate(value, here);
    };
    const [name, parent, scoped] = [given('name'), given('parent'), given('scope')];
    if (name instanceof Later) {
      all.problems.push({ at: at(declaration), text: `the name ${name.text} is not known before the deployment` });
    }
    const scopedTo = isResource(scoped) ? scoped : undefined;
    const id = isResource(parent)
      ? `${parent.id}/${type.split('/').at(-1)}/${name}`
      : `${scopedTo?.id ?? group.id}/providers/${type}/${name}`;
    const resource: Resource = {
      symbol: declaration.name,
      type,
      version,
      name,
      id,
      existing: declaration.existing,
      scope: scopedTo,
      body: {},
      at: at(declaration),
      module,
    };
    pending.push(() => {
      const {
        parent: _,
        scope: __,
        dependsOn: ___,
        ...rest
      } = body ? (evaluate(body, here) as Record<string, unknown>) : {};
      resource.body = rest;
      if (declaration.existing) all.existing.push(resource);
      else if (wanted) all.resources.push(resource);
    });
    return resource;
  }

  function call(declaration: Declaration, { body, scope: here, wanted }: Turn): unknown {
    const target = normalize(join(dirname(path), declaration.target));
    const given = body ? (evaluate(body, within(here, {})) as Record<string, unknown>) : {};
    if (!existsSync(join(files.root, target)) && files.instead?.[target] === undefined) {
      all.problems.push({ at: at(declaration), text: `there is no file ${target}` });
      return new Later(declaration.name);
    }
    const values = (given.params ?? {}) as Record<string, unknown>;
    checkParams(readSource(files, target), values, at(declaration), all.problems);
    const inner = expand(files, target, values, String(given.name));
    all.problems.push(...inner.problems);
    if (wanted) {
      all.resources.push(...inner.resources);
      all.existing.push(...inner.existing);
    }
    const after = ((given.dependsOn as unknown[]) ?? []).flatMap((one) => (isCalled(one) ? [one.name] : []));
    const made: Called = {
      name: String(given.name),
      path: target,
      wanted,
      after,
      inner: inner.modules.map((one) => one.name),
      outputs: wanted ? inner.outputs : {},
    };
    all.modules.push(made);
    // What it waits for, the modules in it wait for as well.
    if (wanted) all.modules.push(...inner.modules.map((one) => ({ ...one, after: [...one.after, ...after] })));
    return made;
  }

  const pending: (() => void)[] = [];
  for (const declaration of source.declarations) if (declaration.kind !== 'output') scope.find(declaration.name);
  for (const finish of pending) finish();
  for (const output of source.declarations) {
    if (output.kind !== 'output' || !output.value) continue;
    const value = evaluate(output.value, scope);
    checkType(value, output.type, `${at(output)}`, `the output ${output.name}`, all.problems);
    all.outputs[output.name] = value instanceof Later ? new Later(value.text, output.type) : value;
  }
  return all;
}

function isCalled(value: unknown): value is Called {
  return typeof value === 'object' && value !== null && 'outputs' in value && 'after' in value;
}

/** Whether a module, or a template, can be called with these parameters. */
export function checkParams(source: Source, given: Record<string, unknown>, at: string, problems: Problem[]): void {
  const declared = source.declarations.filter((one) => one.kind === 'param');
  for (const name of Object.keys(given)) {
    if (!declared.some((one) => one.name === name))
      problems.push({ at, text: `${source.path} has no parameter ${name}` });
  }
  for (const one of declared) {
    if (!Object.hasOwn(given, one.name)) {
      if (!one.value) problems.push({ at, text: `the parameter ${one.name} of ${source.path} is not given` });
      continue;
    }
    const value = given[one.name];
    checkType(value, one.type, at, `the parameter ${one.name} of ${source.path}`, problems);
    const limit = (name: string) => {
      const node = one.decorators.get(name)?.[0];
      return node ? Number(node.text) : undefined;
    };
    const size = typeof value === 'number' ? value : ((value as { length?: number } | null)?.length ?? 0);
    const [least, most] = typeof value === 'number' ? ['minValue', 'maxValue'] : ['minLength', 'maxLength'];
    if (
      !(value instanceof Later) &&
      (size < (limit(least ?? '') ?? -Infinity) || size > (limit(most ?? '') ?? Infinity))
    ) {
      problems.push({ at, text: `the parameter ${one.name} of ${source.path} is too small or too large` });
    }
    const allowed = allowedValues(one);
    if (allowed && !(value instanceof Later) && !allowed.includes(value)) {
      problems.push({
        at,
        text: `the parameter ${one.name} is ${JSON.stringify(value)}: expected ${allowed.join(', ')}`,
      });
    }
  }
}

/** What `@allowed` says of a parameter. */
export function allowedValues(param: Declaration): unknown[] | undefined {
  const list: Node | undefined = param.decorators.get('allowed')?.[0];
  if (!list) return undefined;
  return list.parts.map((item) => (item.type === 'number' ? Number(item.text) : item.text.slice(1, -1)));
}

function checkType(value: unknown, type: string, at: string, what: string, problems: Problem[]): void {
  const is = value instanceof Later ? value.type : Array.isArray(value) ? 'array' : typeof value;
  const named = { number: 'int', boolean: 'bool' }[is] ?? is;
  if (named !== 'any' && named !== type) problems.push({ at, text: `${what} is ${named}: expected ${type}` });
}

function load(files: Files, path: string, name: string, args: unknown[], at: string, problems: Problem[]) {
  if (name !== 'loadTextContent' && name !== 'loadJsonContent') return undefined;
  const target = normalize(join(dirname(path), String(args[0])));
  const full = join(files.root, target);
  const text = files.instead?.[target] ?? (existsSync(full) ? readFileSync(full, 'utf8') : undefined);
  if (text === undefined) {
    problems.push({ at, text: `there is no file ${target}` });
    return { value: new Later(`${name}('${target}')`) };
  }
  if (name === 'loadTextContent' && text.length > 131_072) {
    problems.push({ at, text: `${target} has ${text.length} characters: Bicep loads at most 131,072` });
  }
  return { value: name === 'loadJsonContent' ? JSON.parse(text) : text };
}

/** The parameters that a .bicepparam file gives, with these environment variables. */
export function readParams(files: Files, path: string, environment: Record<string, string>) {
  const source = readSource(files, path);
  const problems = [...source.problems];
  const scope: Scope = {
    path,
    problems,
    find: () => undefined,
    load(name, [variable, otherwise], at) {
      if (name !== 'readEnvironmentVariable') return undefined;
      const value = environment[String(variable)] ?? otherwise;
      if (value === undefined) problems.push({ at, text: `the environment variable ${String(variable)} is not set` });
      return { value: value ?? new Later(String(variable)) };
    },
  };
  const params = Object.fromEntries(
    source.declarations.map((one) => [one.name, one.value && evaluate(one.value, scope)] as const),
  );
  return { params, using: source.using, problems };
}
