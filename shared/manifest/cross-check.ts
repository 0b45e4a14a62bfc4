import { type Job, parseInput } from '../job/job.ts';
import { nearest } from '../nearest.ts';
import type { Document } from './document.ts';
import { valueAt } from './issue.ts';
import { shown } from './literal.ts';
import { skeleton } from './name.ts';
import type { Problem } from './problem.ts';
import { problem } from './rule.ts';

/** A job among the others, as far as it could be read. */
export interface CheckedJob {
  name: string;
  /** How problems call its folder. */
  place: string;
  problems: Problem[];
  document?: Document;
  /** Present when the job is valid on its own. */
  job?: Job;
}

interface Found {
  name: string;
  problem: Problem;
}

/** Jobs whose names a hurried reader takes for one another; each gets a problem that names the others. */
export function lookAlikeProblems(jobs: readonly CheckedJob[]): Found[] {
  const groups = Map.groupBy(jobs, ({ name }) => skeleton(name));
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .flatMap((group) =>
      group.map(({ name, place }) => {
        const others = group.filter((other) => other.name !== name).map((other) => shown(other.name));
        const message = `${shown(name)} looks like ${others.join(' and ')}; expected names that no one confuses`;
        const hint =
          'rename one: 0 and o, 1, i and l, 5 and s, rn and m, vv and w, and hyphens do not make names different';
        return { name, problem: { file: place, code: 'look-alike-names', message, hint } };
      }),
    );
}

/** Inputs that no job delivers, and jobs that wait for each other. */
export function inputProblems(jobs: readonly CheckedJob[]): Found[] {
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const sources = (name: string) => byName.get(name)?.document && inputsOf(byName.get(name)).map(({ job }) => job);
  const found: Found[] = [];
  for (const { name, document } of jobs) {
    if (!document) continue;
    for (const { job, output, index } of inputsOf({ document })) {
      const add = (code: string, message: string, hint: string) =>
        found.push({ name, problem: problem(document, ['inputs', index], code, message, hint) });
      const source = byName.get(job);
      if (!source) {
        const near = nearest(job, byName.keys());
        add(
          'unknown-job',
          `${shown(job)} is no job here; expected a job of this folder`,
          near ? `did you mean ${near}/${output}?` : 'name a folder next to this one',
        );
      } else if (leadsTo(name, job, sources)) {
        const who = job === name ? 'the job itself' : `${shown(job)}, which waits for ${name} itself`;
        add('input-cycle', `waits for ${who}; the first run could never start`, 'take one of these inputs out');
      } else if (source.document?.value !== undefined) {
        const outputs = texts(source.document, 'outputs').map(({ text }) => text);
        if (outputs.includes(output)) continue;
        const near = nearest(output, outputs);
        const message = `${shown(output)} is no output of ${job}; expected ${outputs.map(shown).join(', ') || 'a job with outputs'}`;
        add(
          'unknown-output',
          message,
          near ? `did you mean ${job}/${near}?` : `declare it in ${source.place}/job.yaml: outputs: [${output}]`,
        );
      }
    }
  }
  return found;
}

/** True when `from` is `goal`, or takes its inputs from it, directly or not. */
function leadsTo(goal: string, from: string, sources: (name: string) => string[] | undefined): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === goal) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...(sources(name) ?? []));
  }
  return false;
}

function inputsOf(job: { document?: Document } | undefined) {
  if (!job?.document) return [];
  return texts(job.document, 'inputs')
    .filter(({ text }) => /^[^/]+\/./.test(text))
    .map(({ text, index }) => ({ ...parseInput(text), index }));
}

function texts(document: Document, field: 'inputs' | 'outputs'): { text: string; index: number }[] {
  const list = valueAt(document.value, [field]);
  return (Array.isArray(list) ? list : []).flatMap((text, index) =>
    typeof text === 'string' ? [{ text, index }] : [],
  );
}
