import { readFile } from 'node:fs/promises';
import type { Instant } from '../../shared/instant.ts';

/** What jobs left behind, by attempt as `RUN ATTEMPT`. */
export interface Marks {
  /** When it began, each time. */
  begun: Map<string, Instant[]>;
  ended: Map<string, Instant>;
  /** Pids of those without an end, the oldest first. */
  unended: { attempt: string; pid: string }[];
}

export async function readMarks(file: string, lastLines = Number.POSITIVE_INFINITY): Promise<Marks> {
  const marks: Marks = { begun: new Map(), ended: new Map(), unended: [] };
  const lines = (await readFile(file, 'utf8').catch(() => '')).trim().split('\n');
  const pids = new Map<string, string>();
  for (const line of lines.slice(Math.max(0, lines.length - lastLines))) {
    const [what, run, number, pid = '', time] = line.split(' ');
    const attempt = `${run} ${number}`;
    const at = Math.round(Number(time) * 1_000);
    if (what === 'begin') {
      marks.begun.set(attempt, [...(marks.begun.get(attempt) ?? []), at]);
      pids.set(attempt, pid);
    }
    if (what === 'end') {
      marks.ended.set(attempt, at);
      pids.delete(attempt);
    }
  }
  marks.unended = [...pids].map(([attempt, pid]) => ({ attempt, pid }));
  return marks;
}

/**
 * The most attempts that ran at one instant, and when. Of one that left no mark of its end only its death is known, or
 * else that it began: never more than there were.
 */
export function mostAtOnce(
  { begun, ended }: Marks,
  deaths: ReadonlyMap<string, Instant>,
): { most: number; at: Instant } {
  const steps: { at: Instant; by: 1 | -1 }[] = [];
  for (const [attempt, times] of begun) {
    for (const [index, from] of times.entries()) {
      const last = index === times.length - 1;
      const until = last ? (ended.get(attempt) ?? deaths.get(attempt) ?? from) : from;
      if (until > from) steps.push({ at: from, by: 1 }, { at: until, by: -1 });
    }
  }
  // Of two in one millisecond the end counts first: an attempt may take the place that this one has left.
  steps.sort((a, b) => a.at - b.at || a.by - b.by);
  const found = { most: 0, at: 0 };
  let now = 0;
  for (const { at, by } of steps) {
    now += by;
    if (now > found.most) Object.assign(found, { most: now, at });
  }
  return found;
}
