import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import { newAttempt, newRun, type Run } from '../../shared/run/run.ts';
import type { Store } from '../../shared/store/store.ts';
import { memoryStore } from '../support/storage/memory.ts';
import { check } from './checker.ts';
import { everyMinute } from './expectation.ts';
import { mostAtOnce, readMarks } from './marks.ts';
import { isClean, type Wrong, wrongs } from './verdict.ts';

/** The harness can only be believed when it finds what is wrong. */

const t = Date.UTC(2026, 10, 20, 7);
let folder: string;
let store: Store;
let marks: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamp-checker-'));
  store = memoryStore(() => t).store;
  marks = [];
  await ran(0);
  await ran(1);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A run of that minute's slot, whose attempt left its marks. */
async function ran(slot: number, more: Partial<Run> = {}): Promise<Run> {
  const at = t + slot * minute;
  const one = newAttempt(1, 'process', at, { state: 'succeeded', endedAt: at + 5 * second });
  const done = { state: 'succeeded', attempts: [one], metrics: { answer: 42 }, endedAt: at + 5 * second } as const;
  const run = newRun('a', at, 'schedule', at, { ...done, attempts: [one], ...more });
  await store.runs.insert(run);
  if (run.attempts.length > 0) began(run, at);
  return run;
}

function began({ job, id }: Run, at: number, ended = at + 4 * second): void {
  marks.push(`begin ${job}.${id} 1 77 ${at / 1_000}`, `end ${job}.${id} 1 77 ${ended / 1_000}`);
}

async function verdict(limit?: number, hurried = false) {
  const file = join(folder, 'marks');
  await writeFile(file, `${marks.join('\n')}\n`);
  const jobs = new Map([['a', everyMinute]]);
  const killed = new Set<string>();
  const span = { from: t, to: t + 2 * minute, now: t + 10 * minute };
  return check({ store, jobs, ...span, marks: file, killed, deaths: new Map(), limit, hurried });
}

async function wrong(limit?: number): Promise<Wrong[]> {
  const { wrong: found } = await verdict(limit);
  return wrongs.filter((name) => found[name].length > 0);
}

describe('the checker', () => {
  test('is content when each slot ran once', async () => {
    await ran(2);
    const found = await verdict(1);
    expect(isClean(found)).toBe(true);
    expect(found).toMatchObject({ slots: 3, succeeded: 3, attempts: 3, mostAtOnce: 1, failed: [] });
  });

  test('finds a slot without a run, and one that was given up', async () => {
    expect(await wrong()).toEqual(['missed']);
    await ran(2, { state: 'missed', attempts: [] });
    expect(await wrong()).toEqual(['missed']);
  });

  test('finds an attempt that ran twice', async () => {
    const run = await ran(2);
    began(run, run.slot + 10 * second);
    expect(await wrong()).toEqual(['duplicate']);
  });

  test('finds what no slot called for: a run between two, and an attempt that no row knows', async () => {
    await ran(2);
    await ran(1.5);
    expect(await wrong()).toEqual(['extra']);
    began(newRun('b', t, 'schedule', t), t);
    expect((await verdict()).wrong.extra).toHaveLength(2);
  });

  test('finds a result that was lost although the job had ended', async () => {
    await ran(2, { state: 'lost', attempts: [newAttempt(1, 'process', t, { state: 'lost' })] });
    expect(await wrong()).toEqual(['lost']);
  });

  test('finds a run that no one looks at any more, and leaves one whose time is to come', async () => {
    const run = await ran(2, { state: 'running', attempts: [newAttempt(1, 'process', t, { state: 'running' })] });
    const entry = { job: run.job, run: run.id, since: t };
    await store.active.insert({ ...entry, checkAfter: t + 11 * minute });
    expect(isClean(await verdict(undefined, true))).toBe(true);
    expect((await verdict(undefined, true)).pending).toBe(1);
    expect(await wrong()).toEqual(['stuck']);
    const found = await store.active.get(run.job, run.id);
    if (found) await store.active.lookAgain(found, t + 3 * minute);
    expect((await verdict(undefined, true)).wrong.stuck).not.toEqual([]);
  });

  test('finds more attempts at once than the limit', async () => {
    const run = await ran(2);
    marks.push(`begin a.${run.id} 2 78 ${t / 1_000 + 1}`, `end a.${run.id} 2 78 ${t / 1_000 + 2}`);
    expect(await wrong(2)).not.toContain('over the limit');
    expect(await wrong(1)).toContain('over the limit');
  });

  test('finds a slot that was skipped for a run that was over, or never ran', async () => {
    const [before] = [newRun('a', t + minute, 'schedule', t)];
    const reason = `${before.id} of this job is still under way`;
    const skipped = { state: 'skipped', reasonCode: 'overlap', reason, attempts: [] } as const;
    await ran(2, { ...skipped, attempts: [], endedAt: t + minute + 3 * second });
    expect(await wrong()).toEqual([]);
    const found = await store.runs.get('a', newRun('a', t + 2 * minute, 'schedule', t).id);
    if (found) await store.runs.replace({ ...found.value, endedAt: t + 2 * minute }, found.etag);
    expect(await wrong()).toEqual(['wrongly skipped']);
  });
});

test('an attempt takes the place that another left in the same moment', async () => {
  const file = join(folder, 'lines');
  const lines = [
    'begin a.1 1 7 10.0',
    'begin b.1 1 8 11.5',
    'end a.1 1 7 11.5',
    'end b.1 1 8 12.0',
    'begin c.1 1 9 11.6',
  ];
  await writeFile(file, lines.join('\n'));
  const read = await readMarks(file);
  expect(read.unended).toEqual([{ attempt: 'c.1 1', pid: '9' }]);
  expect(mostAtOnce(read, new Map()).most).toBe(1);
  // Of the third it is known when it was killed.
  expect(mostAtOnce(read, new Map([['c.1 1', 13_000]]))).toEqual({ most: 2, at: 11_600 });
});
