import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** What readers who are not native speakers stumble over, and what to write instead; the glossary has the field's words. */
const instead: [RegExp, string][] = [
  [/\b(whoever|whomever|somebody|anybody|nobody)\b/i, 'the caller, another host, an operator, no one'],
  [/\b(tell|tells|told|telling)\b/i, 'report, emit, log, print, show'],
  [/\b(so often|so many|for so long)\b/i, 'at most 5, every 90 s, for 10 minutes'],
  [/\b(is|are|was|were|be|being) away\b/i, 'fails, is missing, is unavailable'],
  [/\b(out of sorts|is lacking|goes wrong|went wrong)\b/i, 'fails, is missing, is unavailable'],
  [/\b(mend|mends|mended|mending)\b/i, 'fix, repair'],
  [/\b(put|puts|putting) (\w+ )?right\b/i, 'fix, repair, correct'],
  [/\b(take|takes|took|taken) (\w+ )?away\b/i, 'remove'],
  [/\bnurser(y|ies)\b/i, 'prefork server'],
  [/\bcouriers?\b/i, 'uploader'],
  [/\bpokers?\b/i, 'second scheduler'],
  [/\bneighbours?\b/i, 'cross-check, another job'],
  [/how it is meant/i, 'one imperative step'],
];

/** The lists themselves, and other people's texts. */
const exempt =
  /^(test\/words\.test\.ts|CHANGELOG\.md|LICENSE|package-lock\.json|test\/fixtures\/|jobs\/[^/]+\/[^/]+\.csv$)/;
const read = /\.(ts|mjs|cjs|py|md|bicep|kql|ya?ml|json|svg)$/;

const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => read.test(file) && !exempt.test(file));

test('code, comments, output and docs use plain words', () => {
  const found = files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, at) =>
        instead
          .filter(([word]) => word.test(line))
          .map(([word, better]) => `${file}:${at + 1} ${word.exec(line)?.[0]}: write ${better}`),
      ),
  );
  expect(found).toEqual([]);
});
