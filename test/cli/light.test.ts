import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** What a file needs before its first line runs: each import of a value that is no call. */
function needs(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)([^'";]*?)\s*from\s+'([^']+)'/gms)].flatMap(
    ([, names = '', from = '']) => (/^\{(\s*type [\w ]+,?)*\s*\}$/.test(names) ? [] : [from]),
  );
}

/** The packages that are loaded before a command is known, each with the way to it. */
function loaded(start: string): Map<string, string> {
  const found = new Map<string, string>();
  const seen = new Map([[start, relative(root, start)]]);
  for (const [file, way] of seen) {
    for (const from of needs(file)) {
      const path = join(dirname(file), from);
      if (!from.startsWith('.')) found.set(from, way);
      else if (existsSync(path) && !seen.has(path)) seen.set(path, `${way} → ${relative(root, path)}`);
    }
  }
  return found;
}

test('lamp starts without what only some commands need: help and version come at once', () => {
  const packages = loaded(join(root, 'cli/main.ts'));
  expect(packages.has('commander')).toBe(true);
  expect([...packages].filter(([name]) => !name.startsWith('node:') && name !== 'commander')).toEqual([]);
});
