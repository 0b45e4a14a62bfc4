import { isInput } from '../run/metrics.ts';
import type { Run } from '../run/run.ts';

/** A package whose version differs; null: it was not there. */
export interface PackageChange {
  name: string;
  from: string | null;
  to: string | null;
}

export interface ChangeFacts {
  /** Of the lock files; undefined: they cannot be compared, though they differ. */
  packages?: PackageChange[];
  /** What people did between the two runs that matters here: one line each. */
  acts?: string[];
}

/** Named one by one; of more only the number is given. */
const most = 8;

/** What is compared of a run. */
export type Compared = Pick<Run, 'versions' | 'args' | 'metrics' | 'outputs'>;

/**
 * What differs between the last success and this run, one line each; empty: nothing changed on our side.
 * @param good null: the job has never succeeded
 */
export function changes(good: Compared | null, run: Compared, facts: ChangeFacts = {}): string[] {
  if (good === null) return ['the job has never succeeded before'];
  const [a, b] = [good.versions, run.versions];
  const found: string[] = [];
  if (a && b) {
    if (a.bundle !== b.bundle)
      found.push(`code: ${short(a.bundle)} → ${short(b.bundle)}${commits(a.commit, b.commit)}`);
    if (a.lock !== b.lock) found.push(...packageLines(facts.packages));
    if (a.python !== b.python && a.python && b.python) found.push(`Python: ${a.python} → ${b.python}`);
    if (a.image !== b.image) found.push(`image: ${short(a.image)} → ${short(b.image)}`);
    found.push(...secretLines(a.secrets, b.secrets));
  }
  if (good.args.join('\0') !== run.args.join('\0')) found.push(`arguments: ${argsText(good)} → ${argsText(run)}`);
  found.push(...(facts.acts ?? []));
  found.push(...volumeLines(good, run));
  return found;
}

function packageLines(packages: PackageChange[] | undefined): string[] {
  if (packages === undefined) return ['packages: uv.lock changed'];
  const lines = packages.map(({ name, from, to }) => `package ${name}: ${from ?? 'new'} → ${to ?? 'removed'}`);
  return lines.length <= most ? lines : [...lines.slice(0, most), `and ${lines.length - most} more packages`];
}

function secretLines(a: Record<string, string>, b: Record<string, string>): string[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  const version = (of: Record<string, string>, name: string) =>
    Object.hasOwn(of, name) ? short(of[name] ?? '') : 'none';
  return names
    .filter((name) => version(a, name) !== version(b, name))
    .map((name) => `secret ${name}: version ${version(a, name)} → ${version(b, name)}`);
}

/** What came in or went out halved or doubled: metrics that are of the input by name, and rows of outputs. */
function volumeLines(good: Compared, run: Compared): string[] {
  const inputs = Object.entries(run.metrics).flatMap(([name, now]) => {
    const before = Object.hasOwn(good.metrics, name) ? good.metrics[name] : undefined;
    if (!isInput(name) || typeof now !== 'number' || typeof before !== 'number' || !isLarge(before, now)) return [];
    return [`input ${name}: ${before} → ${now}`];
  });
  const outputs = run.outputs.flatMap(({ path, rows }) => {
    const before = good.outputs.find((one) => one.path === path)?.rows ?? null;
    if (rows === null || before === null || !isLarge(before, rows)) return [];
    return [`output ${path}: ${before} rows → ${rows} rows`];
  });
  return [...inputs, ...outputs];
}

function isLarge(before: number, now: number): boolean {
  return before !== now && (now > 2 * before || now < before / 2);
}

function commits(a: string | null, b: string | null): string {
  return a && b && a !== b ? ` (commit ${short(a)} → ${short(b)})` : '';
}

function argsText({ args }: Compared): string {
  return args.length === 0 ? 'none' : args.join(' ').slice(0, 100);
}

function short(text: string | null): string {
  if (text === null) return 'none';
  const digest = text.replace(/^.*@sha256:|^sha256:/, '');
  return digest.length > 20 ? digest.slice(0, 12) : digest;
}
