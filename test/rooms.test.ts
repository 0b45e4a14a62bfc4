import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

interface Import {
  from: string;
  to: string;
}

const files = ['shared', 'cli', 'functions'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`),
);

const imports: Import[] = files.flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path = '']) => ({
    from,
    to: relative(root, join(root, dirname(from), path)),
  }));
});

/** The folder below shared/; its root, which ties all together, is no room. */
const room = (file: string) => /^shared\/([a-z-]+)\//.exec(file)?.[1];

const between = imports.filter(({ from, to }) => room(from) && room(to) && room(from) !== room(to));

test('shared/ imports neither a host nor the command line', () => {
  expect(imports.filter(({ from, to }) => from.startsWith('shared/') && !to.startsWith('shared/'))).toEqual([]);
});

test('no two rooms import each other', () => {
  const arrows = new Set(between.map(({ from, to }) => `${room(from)} → ${room(to)}`));
  const both = [...arrows].filter((arrow) => arrows.has(arrow.split(' → ').reverse().join(' → ')));
  expect(both).toEqual([]);
});

test('no circle goes through the rooms', () => {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of between) {
    const name = room(from) as string;
    next.set(name, (next.get(name) ?? new Set()).add(room(to) as string));
  }
  const circle = (name: string, path: string[]): string[] | undefined => {
    if (path.includes(name)) return [...path, name];
    for (const other of next.get(name) ?? []) {
      const found = circle(other, [...path, name]);
      if (found) return found;
    }
    return undefined;
  };
  expect([...next.keys()].map((name) => circle(name, [])).find((found) => found)).toBeUndefined();
});

/** What a room may not reach, whatever lies between. */
const walls: Record<string, string[]> = {
  pipeline: ['actions', 'api', 'upkeep'],
  run: ['pipeline', 'store', 'executors', 'actions', 'alerts', 'drift', 'telemetry', 'clients'],
  schedule: ['pipeline', 'store', 'run', 'job', 'manifest'],
  job: ['manifest', 'store', 'pipeline'],
  drift: ['alerts', 'pipeline', 'actions', 'api'],
  alerts: ['drift', 'actions', 'api'],
};

test.each(Object.keys(walls))('the room %s imports none that stands above it', (name) => {
  const wrong = between.filter(({ from, to }) => room(from) === name && walls[name]?.includes(room(to) ?? ''));
  expect(wrong).toEqual([]);
});
