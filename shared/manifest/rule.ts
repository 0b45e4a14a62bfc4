import { parseDuration } from '../job/duration.ts';
import { parseInput } from '../job/job.ts';
import { parseSize } from '../job/size.ts';
import { beginOf, endOf, parseLocalTime } from '../schedule/local-time.ts';
import { firstMeeting } from '../schedule/meeting.ts';
import { localText, parseSchedule, ScheduleError } from '../schedule/schedule.ts';
import type { Document } from './document.ts';
import { valueAt } from './issue.ts';
import { escaped, shown } from './literal.ts';
import type { Manifest } from './manifest.ts';
import { type Path, pathText } from './place.ts';
import type { Problem } from './problem.ts';

/*
 * Rules about what several fields say together, or what a field means. They read the raw value, so that they also run
 * when another part of the manifest is broken: all problems at once.
 */

function schedulePaths(document: Document): Path[] {
  const value = valueAt(document.value, ['schedule']);
  return Array.isArray(value) ? value.map((_, index) => ['schedule', index]) : [['schedule']];
}

/** `cron: 0 7 * * MON #1`, which YAML reads without the `#1`: each Monday, not the first of the month. */
export function commentProblems(document: Document): Problem[] {
  return schedulePaths(document).flatMap((schedule) => {
    const path = [...schedule, 'cron'];
    const nth = /^\d/.exec(document.comment(path) ?? '')?.[0];
    if (nth === undefined) return [];
    const cron = String(valueAt(document.value, path));
    const message = `"#${nth}" is a comment for YAML, since a blank stands before it; the schedule is ${shown(cron)}`;
    const hint = `write ${shown(`${cron}#${nth}`)} in quotes when the schedule goes on there, or a blank after the #`;
    return [{ ...problem(document, path, 'schedule-comment', message, hint), severity: 'warning' as const }];
  });
}

/** Every cron text and time zone that the schedule module refuses. */
export function scheduleProblems(document: Document): Problem[] {
  return schedulePaths(document).flatMap((path) => [
    ...scheduleProblem(document, [...path, 'cron'], (cron) => parseSchedule(cron, 'UTC')),
    ...scheduleProblem(document, [...path, 'timeZone'], (timeZone) => parseSchedule('0 0 * * *', timeZone)),
  ]);
}

function scheduleProblem(document: Document, path: Path, parse: (text: string) => unknown): Problem[] {
  const text = valueAt(document.value, path);
  if (typeof text !== 'string') return [];
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    const message = escaped(error.message.replace(/^(cron|time zone) (?=")/, ''));
    return [problem(document, path, `schedule-${error.code}`, message, escaped(error.hint))];
  }
}

/** Two schedules with arguments of their own that name one instant: a slot is one run, so one of them would be lost. */
export function meetingProblems(document: Document, { schedule }: Manifest): Problem[] {
  const list = schedule === undefined ? [] : [schedule].flat();
  const problems: Problem[] = [];
  for (const [index, one] of list.entries()) {
    for (const [other, first] of list.slice(0, index).entries()) {
      if (JSON.stringify(one.args) === JSON.stringify(first.args)) continue;
      const at = firstMeeting(parseSchedule(one.cron, one.timeZone), parseSchedule(first.cron, first.timeZone));
      if (at === undefined) continue;
      const message = `meets schedule[${other}] at ${localText(one.timeZone, at)}; expected other times, since each has its own args`;
      const hint = 'a slot is one run: move one of the two by a minute';
      problems.push(problem(document, ['schedule', index, 'cron'], 'schedules-meet', message, hint));
      break;
    }
  }
  return problems;
}

/** Windows that end before they begin. */
export function windowProblems(document: Document, { blackout }: Manifest): Problem[] {
  return blackout.flatMap(({ from, to }, index) => {
    const [begin, end] = [parseLocalTime(from), parseLocalTime(to)];
    if (!begin || !end || endOf(end, 'UTC') >= beginOf(begin, 'UTC')) return [];
    const message = `${shown(to)} is before ${shown(from)}; expected the end of the window`;
    return [problem(document, ['blackout', index, 'to'], 'contradiction', message, 'swap the two')];
  });
}

/** Fields that exclude each other. */
export function contradictionProblems(document: Document): Problem[] {
  const problems: Problem[] = [];
  const length = (path: Path, byDefault?: string) => {
    const text = valueAt(document.value, path) ?? byDefault;
    return typeof text === 'string' ? parseDuration(text) : undefined;
  };
  const text = (path: Path, byDefault: string) => String(valueAt(document.value, path) ?? `${byDefault}, the default`);
  const [delay, maxDelay] = [length(['retry', 'delay'], '30s'), length(['retry', 'maxDelay'], '10m')];
  if (delay !== undefined && maxDelay !== undefined && delay > maxDelay) {
    const path = ['retry', valueAt(document.value, ['retry', 'delay']) === undefined ? 'maxDelay' : 'delay'];
    const message = `delay (${text(['retry', 'delay'], '30s')}) is above maxDelay (${text(['retry', 'maxDelay'], '10m')})`;
    problems.push(problem(document, path, 'contradiction', message, 'lower delay, or raise maxDelay'));
  }
  const [least, timeout] = [length(['run', 'mustRunAtLeast']), length(['run', 'timeout'], '1h')];
  if (least !== undefined && timeout !== undefined && least >= timeout) {
    const message = `a run that must take at least ${text(['run', 'mustRunAtLeast'], '')} is ended after ${text(['run', 'timeout'], '1h')}`;
    const hint = 'lower mustRunAtLeast, or raise timeout';
    problems.push(problem(document, ['run', 'mustRunAtLeast'], 'contradiction', message, hint));
  }
  const [scratch, memory] = [
    ['run', 'scratch'],
    ['run', 'memory'],
  ].map((path) => valueAt(document.value, path));
  const bytes = (value: unknown) => (typeof value === 'string' ? parseSize(value) : undefined);
  if ((bytes(scratch) ?? 0) >= (bytes(memory ?? '1Gi') ?? Number.POSITIVE_INFINITY)) {
    const message = `files of ${scratch} leave nothing of a memory of ${text(['run', 'memory'], '1Gi')}, which they are part of`;
    problems.push(problem(document, ['run', 'scratch'], 'contradiction', message, 'lower scratch, or raise memory'));
  }
  for (const name of Object.keys(Object(valueAt(document.value, ['metrics'])))) {
    const [min, max] = ['min', 'max'].map((end) => valueAt(document.value, ['metrics', name, end]));
    if (typeof min === 'number' && typeof max === 'number' && min > max) {
      const message = `min (${min}) is above max (${max}); no value would do`;
      problems.push(problem(document, ['metrics', name, 'min'], 'contradiction', message, 'swap the two'));
    }
  }
  return problems;
}

/** Files that would land on each other. */
export function duplicateFileProblems(document: Document): Problem[] {
  const problems: Problem[] = [];
  for (const section of ['inputs', 'outputs']) {
    const value = valueAt(document.value, [section]);
    const lines = new Map<string, number>();
    for (const [index, text] of (Array.isArray(value) ? value : []).entries()) {
      if (typeof text !== 'string') continue;
      const path = [section, index];
      const name = section === 'inputs' ? parseInput(text).path : text;
      const first = lines.get(name);
      if (first === undefined) lines.set(name, document.at(path).line);
      else {
        const message = `${shown(text)} is a second file called ${shown(name)} (the first: line ${first})`;
        const hint =
          section === 'inputs' ? 'inputs are placed under their base name: rename one' : 'delete one of the two';
        problems.push(problem(document, path, 'duplicate-file', message, hint));
      }
    }
  }
  return problems;
}

export function problem(document: Document, path: Path, code: string, message: string, hint: string): Problem {
  return { file: document.file, ...document.at(path), path: pathText(path), code, message, hint };
}
