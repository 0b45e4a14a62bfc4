import { isAlias, isMap, isScalar, isSeq, Lexer, type Node, type Pair, parseAllDocuments } from 'yaml';
import { shown } from './literal.ts';
import { type Path, type Place, pathText, placeFinder } from './place.ts';
import type { Problem } from './problem.ts';
import { noBlank, syntaxProblem } from './syntax.ts';

/** A YAML text as a plain value that remembers where everything stands. */
export interface Document {
  file: string;
  /** Plain objects, lists and scalars; undefined when the text could not be read at all. */
  value: unknown;
  problems: Problem[];
  /** Where the value stands; of something that is not there, its nearest parent. */
  at(path: Path): Place;
  /** Where the key stands; of a list item, the item. */
  keyAt(path: Path): Place;
  /** A number, boolean or text as it was typed: `3.10` stays `3.10`. */
  source(path: Path): string | undefined;
  /** What follows a text without quotes in its line, behind a #. */
  comment(path: Path): string | undefined;
  /** Every text and number with its path. */
  scalars(): Iterable<{ path: Path; text: string }>;
  /** True when a problem was already reported there, so that a second one would only be noise. */
  settled(path: Path): boolean;
  /** The place of an offset in the text. */
  place(offset: number): Place;
}

/** A manifest needs four levels; beyond this a hostile file tests the parser's stack. */
const depthLimit = 20;

interface Entry {
  value: number;
  key?: number;
  source?: string;
  comment?: string;
  text?: string;
}

/** Reads one YAML 1.2 document strictly. Never throws: whatever is wrong is in `problems`. */
export function readDocument(text: string, file: string): Document {
  const problems: Problem[] = [];
  const entries = new Map<string, Entry>();
  const settled = new Set<string>();
  const place = placeFinder(text);
  const id = (path: Path) => JSON.stringify(path);
  const add = (offset: number, path: Path, code: string, message: string, hint: string) =>
    problems.push({ file, ...place(offset), ...(path.length > 0 && { path: pathText(path) }), code, message, hint });

  function near(path: Path): Entry {
    for (let length = path.length; length > 0; length -= 1) {
      const entry = entries.get(id(path.slice(0, length)));
      if (entry) return length === path.length ? entry : { value: entry.key ?? entry.value };
    }
    return entries.get('[]') ?? { value: 0 };
  }

  function refuse(offset: number, path: Path, code: string, message: string, hint: string): null {
    settled.add(id(path));
    add(offset, path, code, message, hint);
    return null;
  }

  function convert(node: Node | null, path: Path, key: number | undefined, fallback: number): unknown {
    const offset = node?.range?.[0] ?? fallback;
    const entry: Entry = { value: offset, ...(key !== undefined && { key }) };
    entries.set(id(path), entry);
    if (node === null) return null;
    if (isAlias(node)) {
      const hint = `when a text was meant, write ${shown(`*${node.source}`)}; ${repeat}`;
      return refuse(offset, path, 'alias', 'is an alias (*); expected the value itself', hint);
    }
    if ('anchor' in node && node.anchor)
      add(offset, path, 'anchor', 'has an anchor (&); expected a plain value', repeat);
    if (node.tag) add(offset, path, 'tag', `has the tag ${shown(node.tag)}; expected a plain value`, 'leave it out');
    if (isMap(node)) return mapping(node.items as Pair<Node, Node | null>[], path, offset);
    if (isSeq(node)) {
      return node.items.map((item, index) => convert(item as Node | null, [...path, index], undefined, offset));
    }
    if (!isScalar(node)) return null;
    entry.source = node.source ?? '';
    if (node.type === 'PLAIN' && node.comment) entry.comment = node.comment;
    if (node.value !== null) entry.text = typeof node.value === 'string' ? node.value : entry.source;
    if (typeof node.value === 'string') {
      const control = /[^\P{C}\t\n\r]/u.exec(node.value);
      if (control) {
        const number = `U+${(control[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
        return refuse(
          offset,
          path,
          'control-character',
          `holds the invisible character ${number}; expected visible text`,
          'type it again',
        );
      }
    }
    return node.value;
  }

  function mapping(items: Pair<Node, Node | null>[], path: Path, parent: number): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    const lines = new Map<string, number>();
    for (const { key: node, value: child } of items) {
      const offset = node?.range?.[0] ?? parent;
      if (!isScalar(node) || typeof node.value !== 'string') {
        const what = isScalar(node) ? shown(String(node.source ?? node.value)) : 'this key';
        add(offset, path, 'key-not-text', `${what} is not a text; expected keys that are words`, 'put it in quotes');
        continue;
      }
      const key = node.value;
      const here = [...path, key];
      const first = lines.get(key);
      if (key === '<<') add(offset, here, 'merge-key', 'is a merge key; expected the fields themselves', repeat);
      else if (/^(__proto__|constructor|prototype)$/.test(key)) {
        add(
          offset,
          here,
          'unsafe-key',
          `${shown(key)} has a meaning of its own to programs; expected a plain name`,
          'choose another name',
        );
      } else if (first !== undefined) {
        const message = `${shown(key)} is set twice: line ${first} and here; expected once`;
        add(offset, here, 'duplicate-key', message, 'delete one of the two');
      } else {
        lines.set(key, place(offset).line);
        value[key] = convert(child, here, offset, node.range?.[1] ?? offset);
      }
    }
    return value;
  }

  function read(): unknown {
    const deep = tooDeep(text);
    if (deep !== undefined) {
      return refuse(
        deep,
        [],
        'too-deep',
        `is nested deeper than ${depthLimit} levels; expected a manifest`,
        'a manifest needs four at most',
      );
    }
    const parsed = parseAllDocuments(text, { uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
    const [first, second] = Array.isArray(parsed) ? parsed : [];
    if (!first || (first.contents === null && first.errors.length === 0)) {
      return refuse(0, [], 'empty-file', 'is empty; expected a job manifest', 'start with: lamp new <name>');
    }
    if (first.directives?.yaml.explicit) {
      add(0, [], 'directive', 'begins with a %YAML directive; expected YAML 1.2 without one', 'delete that line');
    }
    if (second) {
      const offset = second.contents?.range?.[0] ?? second.range[0];
      add(
        offset,
        [],
        'several-documents',
        'holds several YAML documents; expected one',
        'delete the --- and what follows',
      );
    }
    // After its first error the parser guesses, and the errors that follow are mostly echoes of it.
    const [error] = first.errors;
    if (error) {
      const at = place(error.pos[0]);
      problems.push(syntaxProblem(error, file, at, text.split('\n')[at.line - 1]?.replace(/\r$/, '') ?? ''));
      return undefined;
    }
    if (!isMap(first.contents)) {
      const offset = first.contents?.range?.[0] ?? 0;
      const tight = noBlank(text.slice(offset).split('\n', 1)[0] ?? '');
      if (tight) return refuse(offset, [], 'not-a-mapping', tight.message, tight.hint);
      return refuse(
        offset,
        [],
        'not-a-mapping',
        'is not a mapping; expected lines such as tier: standard',
        'see docs/manifest.md',
      );
    }
    return convert(first.contents, [], undefined, 0);
  }

  const value = read() ?? undefined;
  return {
    file,
    value,
    problems,
    place,
    at: (path) => place(near(path).value),
    keyAt: (path) => place(near(path).key ?? near(path).value),
    source: (path) => entries.get(id(path))?.source,
    comment: (path) => entries.get(id(path))?.comment,
    settled: (path) => path.some((_, index) => settled.has(id(path.slice(0, index + 1)))),
    *scalars() {
      for (const [key, { text }] of entries) if (text !== undefined) yield { path: JSON.parse(key) as Path, text };
    },
  };
}

const repeat = 'write the value out where it is needed: manifests have no anchors, aliases or merges';

/** Marks of the lexer that stand for no text: document start, broken end of a flow, "a plain text is next". */
const widthless: readonly string[] = ['\x02', '\x18', '\x1f'];

/** Offset of the first bracket or dash that nests too deep. The lexer does not recurse, the parser does. */
function tooDeep(text: string): number | undefined {
  let [offset, brackets, marks, scalar] = [0, 0, 0, false];
  for (const token of new Lexer().lex(text)) {
    if (!scalar && widthless.includes(token)) {
      scalar = token === '\x1f';
      continue;
    }
    if (scalar) marks = 0;
    else if (token === '[' || token === '{') brackets += 1;
    else if (token === ']' || token === '}') brackets -= 1;
    else if (token === '-' || token === '?') marks += 1;
    else if (token.includes('\n')) marks = 0;
    if (brackets > depthLimit || marks > depthLimit) return offset;
    offset += token.length;
    scalar = false;
  }
  return undefined;
}
