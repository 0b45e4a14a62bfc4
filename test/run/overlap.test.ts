import { describe, expect, test } from 'vitest';
import { admit, overlap, turns } from '../../shared/run/overlap.ts';
import { newRun, type Trigger } from '../../shared/run/run.ts';
import { seven } from '../support/pipeline/cast.ts';

type Policy = Parameters<typeof overlap>[0]['overlap'];
const decide = (policy: Policy, trigger: Trigger, holders: Trigger[], concurrency = 2) =>
  overlap(
    { overlap: policy, concurrency },
    { id: 'me', trigger },
    holders.map((holder, index) => ({ run: `other${index}`, trigger: holder })),
  ).do;
const policies: Policy[] = ['forbid', 'queue', 'replace', 'allow'];
const triggers: Trigger[] = ['schedule', 'catch-up', 'manual', 'rerun', 'backfill'];

describe('a run whose time has come', () => {
  test.each(policies)('starts when no one holds its job, or it does itself (%s)', (policy) => {
    for (const trigger of triggers) {
      expect(decide(policy, trigger, [])).toBe('start');
      const holders = [
        { run: 'other', trigger },
        { run: 'me', trigger },
      ];
      expect(overlap({ overlap: policy, concurrency: 1 }, { id: 'me', trigger }, holders)).toEqual({ do: 'start' });
    }
  });

  test.each<[Policy, Partial<Record<Trigger, string>>]>([
    ['forbid', { schedule: 'skip', 'catch-up': 'wait', manual: 'skip', rerun: 'skip', backfill: 'wait' }],
    ['queue', { schedule: 'wait', 'catch-up': 'wait', manual: 'wait', rerun: 'wait', backfill: 'wait' }],
    ['replace', { schedule: 'replace', 'catch-up': 'wait', manual: 'replace', rerun: 'replace', backfill: 'wait' }],
    ['allow', { schedule: 'start', 'catch-up': 'start', manual: 'start', rerun: 'start', backfill: 'start' }],
  ])('beside a scheduled run: %s', (policy, expected) => {
    expect(Object.fromEntries(triggers.map((trigger) => [trigger, decide(policy, trigger, ['schedule'])]))).toEqual(
      expected,
    );
  });

  test.each(policies)('is never skipped and replaces no one for the sake of a backfill (%s)', (policy) => {
    for (const trigger of triggers) expect(['start', 'wait']).toContain(decide(policy, trigger, ['backfill']));
  });

  test.each(policies)('waits when all places are taken, should it be one of many (%s)', (policy) => {
    expect(decide(policy, 'backfill', ['backfill'])).toBe('start');
    expect(decide(policy, 'backfill', ['backfill', 'backfill'])).toBe('wait');
    expect(decide('allow', 'schedule', ['schedule', 'manual'])).toBe('wait');
  });

  test('replaces all that hold its job', () => {
    const holders = [
      { run: 'a', trigger: 'manual' as const },
      { run: 'b', trigger: 'backfill' as const },
    ];
    expect(overlap({ overlap: 'replace', concurrency: 1 }, { id: 'c', trigger: 'schedule' }, holders)).toEqual({
      do: 'replace',
      runs: ['a', 'b'],
    });
  });
});

describe('a paused job', () => {
  const paused = { by: 'dana', why: 'audit', at: seven };
  const asks = (more: object) =>
    admit(
      { overlap: 'forbid', concurrency: 1, schedules: [] },
      newRun('x', seven, 'schedule', seven, more),
      { paused, running: [], last: null },
      seven,
    );

  test('skips what no one asked for, and says who paused it', () => {
    expect(asks({})).toEqual({ do: 'skip', code: 'paused', reason: 'paused by dana: audit' });
  });

  test('runs what a person asked for, and goes on with what has begun', () => {
    expect(asks({ asked: { by: 'lee', why: '' } })).toEqual({ do: 'start' });
    expect(asks({ attempts: [{}] })).toEqual({ do: 'start' });
  });
});

describe('whose turn it is when a place becomes free', () => {
  const waiting = [
    { run: 'b1', trigger: 'backfill' as const },
    { run: 's1', trigger: 'schedule' as const },
    { run: 'b2', trigger: 'backfill' as const },
    { run: 's2', trigger: 'manual' as const },
  ];
  test('scheduled runs and people come before backfills, in their order', () => {
    expect(turns({ overlap: 'queue', concurrency: 1 }, waiting, 0)).toEqual([
      { runs: ['s1', 's2'], places: 1 },
      { runs: ['b1', 'b2'], places: 1 },
    ]);
  });

  test('as many as there are places, and never less than none', () => {
    const places = (policy: Policy, running: number) =>
      turns({ overlap: policy, concurrency: 3 }, waiting, running).map((turn) => turn.places);
    expect(places('allow', 1)).toEqual([2, 2]);
    expect(places('allow', 5)).toEqual([0, 0]);
    expect(places('forbid', 1)).toEqual([1, 2]);
  });
});
