import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Language, type Node as Parsed, Parser } from 'web-tree-sitter';

export interface Problem {
  /** `modules/job.bicep:12`. */
  at: string;
  text: string;
}

/** A node of the syntax tree, read once: each question to one of the parser's goes into WebAssembly. */
export interface Node {
  type: string;
  text: string;
  line: number;
  /** Named children that are no comments. */
  parts: Node[];
  /** Of an expression with two sides: `==`. */
  operator: string;
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
  root: Parsed;
  problems: Problem[];
}

await Parser.init();
const wasm = createRequire(import.meta.url).resolve('tree-sitter-bicep/tree-sitter-bicep.wasm');
const parser = new Parser().setLanguage(await Language.load(readFileSync(wasm)));

function read(node: Parsed): Node {
  return {
    type: node.type,
    text: node.text,
    line: lineOf(node),
    parts: named(node).map(read),
    operator: node.childForFieldName('operator')?.type ?? '',
  };
}

function named(node: Parsed): Parsed[] {
  return node.namedChildren.filter((child): child is Parsed => child !== null && !isComment(child));
}

const isComment = ({ type }: Parsed) => /comment/.test(type);

const lineOf = (node: Parsed): number => node.startPosition.row + 1;

/** @param path for messages; its ending says which of the two languages it is */
export function parseBicep(path: string, text: string): Source {
  // The grammar knows no assignment of a parameter, which looks just as one of a variable does.
  const given = path.endsWith('.bicepparam') ? text.replaceAll(/^param /gm, 'var   ') : text;
  const tree = parser.parse(given);
  if (tree === null) throw new Error(`${path} cannot be parsed at all`);
  const source: Source = { path, declarations: [], using: undefined, root: tree.rootNode, problems: [] };
  findErrors(tree.rootNode, source);

  let decorators = new Map<string, Node[]>();
  for (const node of named(tree.rootNode)) {
    if (node.type === 'decorators') {
      decorators = new Map(read(node).parts.map(decoratorOf));
      continue;
    }
    if (node.type === 'using_statement') source.using = stringText(read(node).parts[0]);
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

function findErrors(node: Parsed, source: Source): void {
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
  const [name, args] = node.parts[0]?.parts ?? [];
  return [name?.text ?? '', args?.parts ?? []];
}

const kinds: Record<string, Kind> = {
  parameter_declaration: 'param',
  variable_declaration: 'var',
  resource_declaration: 'resource',
  module_declaration: 'module',
  output_declaration: 'output',
};

function declarationOf(node: Parsed, decorators: Map<string, Node[]>): Declaration | undefined {
  const kind = kinds[node.type];
  if (!kind) return undefined;
  const children = node.children.filter((child) => child !== null);
  const [first, second] = named(node).map(read);
  const equals = children.findIndex(({ type }) => type === '=');
  const value = equals < 0 ? undefined : children.slice(equals + 1).find((one) => one.isNamed && !isComment(one));
  return {
    kind,
    name: first?.text ?? '',
    line: lineOf(node),
    decorators,
    type: kind === 'param' || kind === 'output' ? (second?.text ?? '') : '',
    target: kind === 'resource' || kind === 'module' ? (stringText(second) ?? '') : '',
    existing: children.some(({ type }) => type === 'existing'),
    value: value && read(value),
  };
}

/** The text of a string that has no expression in it. */
export function stringText(node: Node | undefined): string | undefined {
  if (node?.type !== 'string' || node.parts.some((part) => part.type === 'interpolation')) return undefined;
  return node.parts.map(plain).join('');
}

const escapes: Record<string, string> = { "\\'": "'", '\\\\': '\\', '\\n': '\n', '\\t': '\t', '\\r': '\r', '\\$': '$' };

/** A stretch of a string, or what stands for one character. */
export function plain(node: Node): string {
  if (node.type !== 'escape_sequence') return node.text;
  const hex = /^\\u\{([0-9a-fA-F]+)\}$/.exec(node.text)?.[1];
  return hex ? String.fromCodePoint(Number.parseInt(hex, 16)) : (escapes[node.text] ?? node.text);
}
