import { createHash } from 'node:crypto';
import { zippedFiles } from './unzip.ts';

/** The frozen examples of a job, as its bundle has them: golden/<example>/input/… and golden/<example>/accepted/…. */
export interface Golden {
  /** Of inputs and accepted answers: another one is another set. Hex. */
  digest: string;
  examples: string[];
  bytes: number;
}

/** More is not replayed by the service: each replay copies the set, and a row keeps an answer of each example. */
export const mostExamples = 100;
export const mostGoldenBytes = 20_000_000;

/** Null: the job has none. @throws Error for a zip that is broken */
export function goldenIn(zip: Buffer): Golden | null {
  const files = zippedFiles(zip)
    .filter(({ name }) => /^golden\/[^/]+\/(input|accepted)\/./.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (files.length === 0) return null;
  const sums = createHash('sha256').update(JSON.stringify(files.map(({ name, crc, size }) => [name, crc, size])));
  return {
    digest: sums.digest('hex'),
    examples: [...new Set(files.map(({ name }) => name.split('/')[1] ?? ''))],
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  };
}

/** Why the service does not replay the set; undefined: it can. */
export function goldenProblem({ examples, bytes }: Golden): string | undefined {
  if (bytes > mostGoldenBytes) {
    const size = `${Math.round(bytes / 1_000_000)} MB`;
    return `golden/ holds ${size}, and at most ${mostGoldenBytes / 1_000_000} MB are replayed: keep typical rows only`;
  }
  if (examples.length > mostExamples)
    return `golden/ holds ${examples.length} examples, and at most ${mostExamples} are replayed: keep the typical ones`;
  return undefined;
}
