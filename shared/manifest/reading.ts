import { type Document, readDocument } from './document.ts';
import { decode } from './encoding.ts';
import { externalManifest, externalProblems, isExternal } from './external.ts';
import { issueProblems } from './issue.ts';
import { environmentProblems, leakProblems } from './leak.ts';
import { type Manifest, manifest } from './manifest.ts';
import { byPlace, isError, type Problem } from './problem.ts';
import {
  commentProblems,
  contradictionProblems,
  duplicateFileProblems,
  meetingProblems,
  scheduleProblems,
  windowProblems,
} from './rule.ts';

/** One manifest, read and judged on its own. */
export interface Reading {
  /** Undefined when there are problems. */
  manifest?: Manifest;
  /** Undefined when the bytes are no text. */
  document?: Document;
  problems: Problem[];
}

/** Reads the bytes of a job.yaml. Never throws; `file` is how problems call it. */
export function readManifest(bytes: Uint8Array, file: string): Reading {
  const decoded = decode(bytes, file);
  if ('problem' in decoded) return { problems: [decoded.problem] };
  const document = readDocument(decoded.text, file);
  const leaks = leakProblems(document, decoded.text);
  if (document.value === undefined) return { document, problems: capped([...document.problems, ...leaks], file) };

  const parsed = (isExternal(document) ? externalManifest : manifest).safeParse(document.value);
  const leaking = new Set(leaks.map(({ path }) => path));
  const schedules = scheduleProblems(document);
  const sound = parsed.success && schedules.length === 0;
  const others = [
    ...(parsed.success ? [] : issueProblems(parsed.error.issues, document)),
    ...environmentProblems(document),
    ...schedules,
    ...commentProblems(document),
    ...contradictionProblems(document),
    ...externalProblems(document),
    ...duplicateFileProblems(document),
    ...(sound ? [...meetingProblems(document, parsed.data), ...windowProblems(document, parsed.data)] : []),
  ].filter(({ path }) => path === undefined || !leaking.has(path));
  const problems = capped([...document.problems, ...leaks, ...others], file);
  return parsed.success && !problems.some(isError)
    ? { manifest: parsed.data, document, problems }
    : { document, problems };
}

/** No one reads more, and a hostile manifest can have ten thousand. */
const mostProblems = 100;

function capped(problems: Problem[], file: string): Problem[] {
  if (problems.length <= mostProblems) return problems;
  const message = `has ${problems.length - mostProblems} more problems; expected none`;
  const rest = { file, code: 'more-problems', message, hint: 'fix these first, then check again' };
  return [...problems.sort(byPlace).slice(0, mostProblems), rest];
}
