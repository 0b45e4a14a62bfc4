import { nearest, plain } from '../nearest.ts';
import { manifestSchema } from './manifest.ts';
import type { Path } from './place.ts';

interface Schema {
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
}

/** The levels of a manifest and their fields: '' → description, owner…; `run` → command…; `metrics.*` → min… */
let known: ReadonlyMap<string, readonly string[]> | undefined;

function levels(): ReadonlyMap<string, readonly string[]> {
  if (known) return known;
  const found = new Map<string, readonly string[]>();
  const walk = (schema: Schema, level: string): void => {
    for (const branch of schema.anyOf ?? []) walk(branch, level);
    if (typeof schema.additionalProperties === 'object') walk(schema.additionalProperties, `${level}.*`);
    if (!schema.properties) return;
    found.set(level, Object.keys(schema.properties));
    for (const [key, child] of Object.entries(schema.properties)) walk(child, level ? `${level}.${key}` : key);
  };
  walk(manifestSchema() as Schema, '');
  known = found;
  return found;
}

/** The level that a path is on: list positions do not count, names of metrics are `*`. */
export function levelOf(path: Path): string {
  const words = path.filter((part) => typeof part === 'string');
  return (words[0] === 'metrics' && words.length > 1 ? ['metrics', '*'] : words).join('.');
}

/** Words of other schedulers, and what they are called here. */
const elsewhere: Readonly<Record<string, string>> = {
  name: "the folder's name is the job's name: delete this line",
  id: "the folder's name is the job's name: delete this line",
  cmd: 'the program belongs under run: command',
  script: 'the program belongs under run: command: [python, script.py]',
  entrypoint: 'the program belongs under run: command: [python, script.py]',
  args: 'arguments belong under run: command, after the program',
  tz: 'the time zone belongs under schedule: timeZone',
  dependson: 'name the files instead: inputs: [other-job/file.csv]',
  needs: 'name the files instead: inputs: [other-job/file.csv]',
  maxretries: 'write retry: { attempts: 3 }; the first attempt counts',
  environment: 'did you mean env?',
  enabled: 'pausing is not in the manifest: use lamp pause, or status: decommissioned',
  schedules: 'did you mean schedule? It takes a list, too',
};

/** What to do about a field that is not known on this level. */
export function unknownKeyHint(level: string, key: string): string {
  const here = levels().get(level) ?? [];
  const same = here.find((field) => plain(field) === plain(key));
  if (same) return `did you mean ${same}?`;
  const others = [...levels()].filter(([, fields]) => fields.some((field) => plain(field) === plain(key)));
  if (others.length > 0) return `it belongs ${others.map(([other]) => placeText(other)).join(' or ')}`;
  const other = Object.hasOwn(elsewhere, plain(key)) ? elsewhere[plain(key)] : undefined;
  if (other) return other;
  const near = nearest(key, here);
  if (near) return `did you mean ${near}?`;
  for (const [level, fields] of levels()) {
    const far = nearest(key, fields);
    if (far) return `did you mean ${far}? It belongs ${placeText(level)}`;
  }
  return `known here: ${here.join(', ')}`;
}

function placeText(level: string): string {
  return level === '' ? 'at the top level' : `under ${level.replace('.*', '.<name>')}`;
}
