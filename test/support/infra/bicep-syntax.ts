import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Language, type Node, Parser } from 'web-tree-sitter';

export interface Problem {
  /** `modules/job.bicep:12`. */
  at: string;
  text: string;
}

export type Kind = 'param' | 'var' | 'resource' | 'module' | 'output';

export interface Declaration {
  kind: Kind;
  name: string;
  line: number;
  /** Arguments of each decorator, by its name. */
  decorators: Map<string, Node[]>;
  /** Of a param or output: `string`. */
  type: string;
  /** Of a resource `type@version`, of a module its path. */
  target: string;
  existing: boolean;
  value: Node | undefined;
}

export interface Source {
  path: string;
  declarations: Declaration[];
  /** What a .bicepparam file is for. */
  using: string | undefined;
  root: Node;
  problems: Problem[];
}

await Parser.init();
const wasm = createRequire(import.meta.url).resolve('tree-sitter-bicep/tree-sitter-bicep.wasm');
const parser = new Parser().setLanguage(await Language.load(readFileSync(wasm)));

const known = new WeakMap<Node, Node[]>();

/** Named children that are no comments. The parser makes them anew each time they are asked for, so they are kept. */
export function parts(node: Node): Node[] {
  const found = known.get(node) ?? (node.namedChildren.filter((child) => child && !isComment(child)) as Node[]);
  known.set(node, found);
  return found;
}

const isComment = ({ type }: Node) => /comment/.test(type);

export const lineOf = (node: Node): number => node.startPosition.row + 1;

/** @param path for messages; its ending says which of the two languages it is */
export function parseBicep(path: string, text: string): Source {
  // The grammar knows no assignment of a parameter, which looks just as one of a variable does.
  const given = path.endsWith('.bicepparam') ? text.replaceAll(/^param /gm, 'var   ') : text;
  const tree = parser.parse(given);
  if (tree === null) throw new Error(`${path} cannot be parsed at all`);
  const source: Source = { path, declarations: [], using: undefined, root: tree.rootNode, problems: [] };
  findErrors(tree.rootNode, source);

  let decorators = new Map<string, Node[]>();
  for (const node of parts(tree.rootNode)) {
    if (node.type === 'decorators') {
      decorators = new Map(parts(node).map(decoratorOf));
      continue;
    }
    if (node.type === 'using_statement') source.using = stringText(parts(node)[0]);
    const declaration = declarationOf(node, decorators);
    if (declaration) {
      if (
        source.declarations.some(
          (one) => one.kind !== 'output' && one.name === declaration.name && declaration.kind !== 'output',
        )
      ) {
        source.problems.push({ at: `${path}:${declaration.line}`, text: `${declaration.name} is declared twice` });
      }
      source.declarations.push(declaration);
    }
    decorators = new Map();
  }
  return source;
}

function findErrors(node: Node, source: Source): void {
  if (node.isError || node.isMissing) {
    const seen = node.text.split('\n')[0]?.slice(0, 60);
    source.problems.push({
      at: `${source.path}:${lineOf(node)}`,
      text: node.isMissing ? `${node.type} is missing` : `cannot be read: ${seen}`,
    });
  } else if (node.hasError) {
    for (const child of node.children) if (child) findErrors(child, source);
  }
}

function decoratorOf(node: Node): [string, Node[]] {
  const call = parts(node)[0];
  const [name, args] = call ? parts(call) : [];
  return [name?.text ?? '', args ? parts(args) : []];
}

const kinds: Record<string, Kind> = {
  parameter_declaration: 'param',
  variable_declaration: 'var',
  resource_declaration: 'resource',
  module_declaration: 'module',
  output_declaration: 'output',
};

function declarationOf(node: Node, decorators: Map<string, Node[]>): Declaration | undefined {
  const kind = kinds[node.type];
  if (!kind) return undefined;
  const children = parts(node);
  const named = children[0];
  const equals = node.children.findIndex((child) => child?.type === '=');
  const value =
    equals < 0
      ? undefined
      : node.children.slice(equals + 1).find((child) => child?.isNamed && !/comment/.test(child.type));
  return {
    kind,
    name: named?.text ?? '',
    line: lineOf(node),
    decorators,
    type: kind === 'param' || kind === 'output' ? (children[1]?.text ?? '') : '',
    target: kind === 'resource' || kind === 'module' ? (stringText(children[1]) ?? '') : '',
    existing: node.children.some((child) => child?.type === 'existing'),
    value: value ?? undefined,
  };
}

/** The text of a string that has no expression in it. */
export function stringText(node: Node | undefined): string | undefined {
  if (node?.type !== 'string' || parts(node).some((part) => part.type === 'interpolation')) return undefined;
  return parts(node).map(plain).join('');
}

const escapes: Record<string, string> = { "\\'": "'", '\\\\': '\\', '\\n': '\n', '\\t': '\t', '\\r': '\r', '\\$': '$' };

/** A stretch of a string, or what stands for one character. */
export function plain(node: Node): string {
  if (node.type !== 'escape_sequence') return node.text;
  const hex = /^\\u\{([0-9a-fA-F]+)\}$/.exec(node.text)?.[1];
  return hex ? String.fromCodePoint(Number.parseInt(hex, 16)) : (escapes[node.text] ?? node.text);
}
