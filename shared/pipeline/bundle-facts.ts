import { createHash } from 'node:crypto';
import { packagesOf } from '../alerts/packages.ts';
import type { RunFacts } from '../drift/change.ts';
import { readZipped, zippedSums } from '../job/unzip.ts';
import type { Parts } from '../parts.ts';

/** Bundles that one explanation reads: a job that is deployed before each run is not read back for ever. */
const mostBundles = 10;
/** What is no code of the job: it is named by what it says. */
const notCode = new Set(['job.yaml', 'uv.lock', 'pyproject.toml']);

export type BundleFacts = Pick<RunFacts, 'packages' | 'manifest' | 'code'>;

/**
 * What bundles say of themselves, by digest. A bundle that is gone or cannot be read says nothing: a finding does not
 * wait for it.
 */
export async function bundleFacts(parts: Parts, digests: readonly string[]): Promise<Map<string, BundleFacts>> {
  const found = new Map<string, BundleFacts>();
  // One that all runs have in common differs from none.
  const distinct = [...new Set(digests)];
  if (distinct.length < 2) return found;
  for (const digest of distinct.slice(-mostBundles)) {
    try {
      const zip = await parts.store.bundles.get(digest);
      if (zip) found.set(digest, await factsIn(zip));
    } catch (error) {
      parts.emit({ type: 'trouble', doing: `reading the bundle ${digest} for a finding`, error });
    }
  }
  return found;
}

/** @throws Error for a zip that is broken */
export async function factsIn(zip: Buffer): Promise<BundleFacts> {
  const lock = readZipped(zip, 'uv.lock')?.toString();
  const code = [...zippedSums(zip)].filter(([name]) => !notCode.has(name) && !name.startsWith('golden/')).sort();
  return {
    packages: Object.fromEntries(lock === undefined ? [] : packagesOf(lock)),
    manifest: await manifestIn(readZipped(zip, 'job.yaml')?.toString() ?? ''),
    code: sha256(JSON.stringify(code)),
  };
}

/** What job.yaml says but its schedule, which is a change of its own; comments and order of keys count for nothing. */
async function manifestIn(text: string): Promise<string | undefined> {
  // In Azure no manifest is read but for a finding.
  const { parse } = await import('yaml');
  try {
    const { schedule: _schedule, ...rest } = parse(text) ?? {};
    return sha256(JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))));
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
