import type { Versions } from '../run/run.ts';

/** What may make a job give other results, on our side or in what it was given. */
export const changeKinds = [
  'model',
  'code',
  'package',
  'python',
  'image',
  'manifest',
  'secret',
  'schedule',
  'action',
  'input-volume',
  'input-profile',
  'shared',
] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** One difference between a run and the one before it. */
export interface Change {
  kind: ChangeKind;
  /** The first run that had it, counted in runs like the change of the metric. */
  at: number;
  /** The slot of that run, ms UTC. */
  slot?: number;
  /** Half a sentence: `the model changed from a to b`. */
  text: string;
}

/** What is known of one run for the comparison; left out: not known, and then nothing is concluded from it. */
export interface RunFacts {
  versions?: Versions | null | undefined;
  /** Package → version, of the lock file. */
  packages?: Readonly<Record<string, string>> | undefined;
  /** As the job reports them; the fingerprint is the provider's own word on what answered. */
  model?: string | undefined;
  fingerprint?: string | undefined;
  /** The schedule as text; a digest of the manifest without its schedule. */
  schedule?: string | undefined;
  manifest?: string | undefined;
  /** A digest of the files of the job without job.yaml and those of its packages. */
  code?: string | undefined;
  args?: readonly string[] | undefined;
  /** What people did between the run before and this one. */
  actions?: readonly string[] | undefined;
  /** Rows that came in. */
  inputRows?: number | undefined;
  /** Other jobs of the same model or source that drifted at this run. */
  shared?: readonly string[] | undefined;
}

/** What differs between a run and the one before it, at run number `at`. */
export function changesBetween(before: RunFacts, after: RunFacts, at: number): Change[] {
  const found: Change[] = [];
  const add = (kind: ChangeKind, text: string) => found.push({ kind, at, text });
  const differ = (kind: ChangeKind, what: string, a: string | null | undefined, b: string | null | undefined) => {
    if (a != null && b != null && a !== b) add(kind, `${what} changed from ${short(a)} to ${short(b)}`);
  };
  differ('model', 'the model', before.model, after.model);
  if (before.model === after.model)
    differ('model', 'the fingerprint of the model', before.fingerprint, after.fingerprint);
  const packages = packageChanges(before.packages, after.packages);
  for (const text of packages) add('package', text);
  const [a, b] = [before.versions, after.versions];
  if (a && b) {
    if (a.lock !== b.lock && packages.length === 0) add('package', 'the locked packages changed');
    // A new lock file or job.yaml is a new bundle too: then these are named, and the code only if it moved as well.
    const sameCode =
      before.code === undefined || after.code === undefined
        ? a.lock !== b.lock && a.commit === b.commit
        : before.code === after.code && (a.lock !== b.lock || before.manifest !== after.manifest);
    if (a.bundle !== b.bundle && !sameCode) {
      differ('code', 'the code of the job', a.commit ?? a.bundle, b.commit ?? b.bundle);
      if ((a.commit ?? a.bundle) === (b.commit ?? b.bundle)) differ('code', 'the code of the job', a.bundle, b.bundle);
    }
    differ('python', 'Python', a.python, b.python);
    differ('image', 'the image', a.image, b.image);
    for (const name of new Set([...Object.keys(a.secrets), ...Object.keys(b.secrets)])) {
      const [from, to] = [a.secrets, b.secrets].map((of) => (Object.hasOwn(of, name) ? of[name] : undefined));
      if (from !== to)
        add('secret', `the secret ${name} got ${to === undefined ? 'no version any more' : 'a new version'}`);
    }
  }
  differ('schedule', 'the schedule', before.schedule, after.schedule);
  if (before.manifest !== undefined && after.manifest !== undefined && before.manifest !== after.manifest) {
    add('manifest', 'job.yaml changed');
  }
  differ('action', 'the arguments', before.args?.join(' '), after.args?.join(' '));
  for (const action of after.actions ?? []) add('action', action);
  for (const job of after.shared ?? []) add('shared', `the job ${job} drifted as well`);
  return found;
}

function packageChanges(a: RunFacts['packages'], b: RunFacts['packages']): string[] {
  if (!a || !b) return [];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return names.flatMap((name) => {
    const [from, to] = [a, b].map((of) => (Object.hasOwn(of, name) ? of[name] : undefined));
    if (from === to) return [];
    if (from === undefined) return [`the package ${name} ${to} came in`];
    return [
      to === undefined
        ? `the package ${name} ${from} was removed`
        : `the package ${name} changed from ${from} to ${to}`,
    ];
  });
}

function short(text: string): string {
  const digest = text.replace(/^.*@sha256:|^sha256:/, '');
  return /^[0-9a-f]{32,}\+?$/.test(digest) ? digest.slice(0, 10) : digest.slice(0, 80);
}
