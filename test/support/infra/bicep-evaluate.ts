import { functions, Later, type Resource } from './bicep-functions.ts';
import { type Node, type Problem, plain } from './bicep-syntax.ts';

/** What names mean at a place in a file. */
export interface Scope {
  path: string;
  problems: Problem[];
  /** @returns undefined when nothing has that name */
  find(name: string): { value: unknown } | undefined;
  /** Functions that need to know where they are called: loadTextContent… */
  load(name: string, args: unknown[], at: string): { value: unknown } | undefined;
}

/** Where each property of an object was written, for messages. */
export const written = new WeakMap<object, Map<string, string>>();

export function isResource(value: unknown): value is Resource {
  return typeof value === 'object' && value !== null && 'symbol' in value && 'version' in value;
}

export function within(scope: Scope, names: Record<string, unknown>): Scope {
  return { ...scope, find: (name) => (Object.hasOwn(names, name) ? { value: names[name] } : scope.find(name)) };
}

/** Computes an expression as Bicep does. What is wrong is reported, and stands for an unknown value. */
export function evaluate(node: Node, scope: Scope): unknown {
  const at = `${scope.path}:${node.line}`;
  const wrong = (text: string) => {
    scope.problems.push({ at, text });
    return new Later(node.text);
  };
  const [first, second, third] = node.parts;
  const value = (child: Node | undefined) => (child ? evaluate(child, scope) : undefined);
  switch (node.type) {
    case 'string':
      return text(node, scope);
    case 'number':
      return Number(node.text);
    case 'boolean':
      return node.text === 'true';
    case 'null':
      return null;
    case 'parenthesized_expression':
      return value(first);
    case 'identifier': {
      const found = scope.find(node.text);
      return found ? found.value : wrong(`nothing is called ${node.text}`);
    }
    case 'array':
      return node.parts.map((item) => evaluate(item, scope));
    case 'object':
      return object(node, scope);
    case 'for_statement':
      return each(node, scope).map((one) => (one.body && one.wanted ? evaluate(one.body, one.scope) : undefined));
    case 'ternary_expression': {
      const condition = value(first);
      if (typeof condition === 'boolean') return value(condition ? second : third);
      return condition instanceof Later ? value(second) : wrong('a condition is not true or false');
    }
    case 'unary_expression': {
      const operand = value(first);
      if (operand instanceof Later) return new Later(node.text, operand.type);
      return node.text.startsWith('!') ? !operand : -Number(operand);
    }
    case 'binary_expression':
      return binary(node.operator, value(first), value(second), node.text);
    case 'member_expression':
      return member(value(first), second?.text ?? '', node.text, wrong);
    case 'subscript_expression':
      return member(value(first), value(second), node.text, wrong);
    case 'lambda_expression': {
      const names = node.parts.slice(0, -1).flatMap((name) => (name.type === 'identifier' ? [name.text] : []));
      const body = node.parts.at(-1);
      return (...given: unknown[]) =>
        body && evaluate(body, within(scope, Object.fromEntries(names.map((name, i) => [name, given[i]]))));
    }
    case 'call_expression': {
      const args = second ? second.parts.map((argument) => evaluate(argument, scope)) : [];
      const name = first?.text ?? '';
      const loaded = scope.load(name, args, at);
      if (loaded) return loaded.value;
      const call = functions[name];
      if (!call) return wrong(`there is no function ${name}`);
      if (args.some((argument) => argument instanceof Later))
        return new Later(node.text, name === 'guid' ? 'string' : 'any');
      return (call as (...values: unknown[]) => unknown)(...args);
    }
    default:
      return wrong(`${node.type} is not understood by this check`);
  }
}

function text(node: Node, scope: Scope): unknown {
  let known = true;
  const all = node.parts.map((part) => {
    if (part.type !== 'interpolation') return plain(part);
    const inner = part.parts[0];
    const value = inner ? evaluate(inner, scope) : '';
    if (value instanceof Later) known = false;
    else if (typeof value === 'object')
      scope.problems.push({ at: `${scope.path}:${part.line}`, text: `${part.text} is no text` });
    return value instanceof Later ? `<${value.text}>` : String(value);
  });
  return known ? all.join('') : new Later(all.join(''), 'string');
}

function object(node: Node, scope: Scope): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  const places = new Map<string, string>();
  written.set(made, places);
  for (const property of node.parts) {
    if (property.type !== 'object_property') continue;
    const [key, value] = [property.parts[0], property.parts.at(-1)];
    if (!key || !value) continue;
    const name = key.type === 'string' ? text(key, scope) : key.text;
    const plainName = name instanceof Later ? name.text : String(name);
    const at = `${scope.path}:${property.line}`;
    if (Object.hasOwn(made, plainName)) scope.problems.push({ at, text: `${plainName} is given twice` });
    places.set(plainName, at);
    made[plainName] = evaluate(value, scope);
  }
  return made;
}

export interface Turn {
  body: Node | undefined;
  scope: Scope;
  /** Whether its condition, if it has one, holds. */
  wanted: boolean;
}

/** The turns of `[for x in list: if (…) {…}]`. The list and the conditions must be known before anything is deployed. */
export function each(node: Node, scope: Scope): Turn[] {
  const names = node.parts[0];
  const [variable, counter] =
    names?.type === 'for_loop_parameters' ? names.parts.map((name) => name.text) : [names?.text];
  const list = node.parts[1];
  const values = list && evaluate(list, scope);
  if (!Array.isArray(values)) {
    scope.problems.push({
      at: `${scope.path}:${node.line}`,
      text: `${list?.text} is no list that is known before the deployment`,
    });
    return [];
  }
  return values.map((value, i) =>
    turn(node.parts[2], within(scope, { ...(variable && { [variable]: value }), ...(counter && { [counter]: i }) })),
  );
}

/** An object, or `if (…) {…}`. */
export function turn(node: Node | undefined, scope: Scope): Turn {
  if (node?.type !== 'if_statement') return { body: node, scope, wanted: true };
  const [condition, body] = node.parts;
  const wanted = condition && evaluate(condition, scope);
  if (typeof wanted !== 'boolean') {
    scope.problems.push({
      at: `${scope.path}:${node.line}`,
      text: 'a condition is not known before the deployment',
    });
  }
  return { body, scope, wanted: wanted === true };
}

function binary(operator: string, left: unknown, right: unknown, source: string): unknown {
  if (left instanceof Later || right instanceof Later)
    return new Later(source, /[+*/%-]/.test(operator) ? 'int' : 'any');
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '&&':
      return left === true && right === true;
    case '||':
      return left === true || right === true;
    case '??':
      return left ?? right;
    case '<':
      return Number(left) < Number(right);
    case '>':
      return Number(left) > Number(right);
    case '+':
      return Number(left) + Number(right);
    case '-':
      return Number(left) - Number(right);
    case '*':
      return Number(left) * Number(right);
    // Whole numbers alone.
    case '/':
      return Math.trunc(Number(left) / Number(right));
    default:
      return new Later(source);
  }
}

function member(from: unknown, key: unknown, source: string, wrong: (text: string) => Later): unknown {
  if (from instanceof Later) return new Later(source, 'any', from.of);
  if (key instanceof Later) return new Later(source);
  if (isResource(from)) {
    if (key === 'id' || key === 'name' || key === 'type') return from[key];
    return key === 'properties' || key === 'location' || key === 'tags' || key === 'identity'
      ? new Later(`${from.symbol}.${key}`, 'any', from)
      : wrong(`a resource has no ${key}`);
  }
  if (typeof from === 'object' && from !== null) {
    const holder = from as Record<string, unknown>;
    if (Object.hasOwn(holder, String(key))) return holder[String(key)];
  }
  return wrong(`${source}: there is no ${String(key)}`);
}
