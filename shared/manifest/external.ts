import { z } from 'zod';
import type { Document } from './document.ts';
import { valueAt } from './issue.ts';
import { type Manifest, manifest } from './manifest.ts';
import type { Path } from './place.ts';
import type { Problem } from './problem.ts';
import { problem } from './rule.ts';

/** Manifests of jobs that run elsewhere and report themselves: the same fields, but nothing that says how to launch. */

export const externalManifest: z.ZodType<Manifest> = manifest.extend({
  run: manifest.shape.run.extend({ command: z.array(z.string()).default([]) }).prefault({}),
});

export function isExternal({ value }: Document): boolean {
  return valueAt(value, ['external']) === true;
}

/** Of an external job only these parts of `run` mean something. */
const runFields = ['timeout', 'mustRunAtLeast'];
const launching = ['env', 'secrets', 'retry', 'inputs', 'outputs', 'replay'];

/** Fields that only matter to what is launched here. */
export function externalProblems(document: Document): Problem[] {
  if (!isExternal(document)) return [];
  const schedule = valueAt(document.value, ['schedule']);
  const paths: Path[] = [
    ...launching.map((field) => [field]),
    ...Object.keys(manifest.shape.run.shape)
      .filter((field) => !runFields.includes(field))
      .map((field) => ['run', field]),
    ...(Array.isArray(schedule)
      ? schedule.flatMap((_, index) => [
          ['schedule', index, 'args'],
          ['schedule', index, 'catchUp'],
        ])
      : [
          ['schedule', 'args'],
          ['schedule', 'catchUp'],
        ]),
  ];
  return paths
    .filter((path) => valueAt(document.value, path) !== undefined)
    .map((path) => {
      const message = `has no effect with external: true; expected only when the job is due and how long it may take`;
      const hint = 'delete the line: nothing of this job is launched here';
      return problem(document, path, 'external', message, hint);
    });
}
