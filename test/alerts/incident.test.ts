import { describe, expect, test } from 'vitest';
import { isOver, opened, resolvedByHand, seenAgain, superseded } from '../../shared/alerts/incident.ts';
import { severityOf } from '../../shared/alerts/policy.ts';
import { day, hour, minute } from '../../shared/instant.ts';
import { failure, Life } from '../support/alerts/story.ts';
import { seven } from '../support/pipeline/cast.ts';

const week = 7 * 24 * 60;

describe('how often an incident is reported', () => {
  test('a critical job failing every minute for a week: once, two escalations, and reminders that grow apart', () => {
    const life = new Life();
    life.fail();
    life.pass(week, () => life.fail());
    expect(life.incident?.count).toBe(week + 1);
    expect(life.kinds().filter((kind) => kind === 'opened')).toHaveLength(1);
    expect(life.kinds().filter((kind) => kind === 'escalated')).toHaveLength(2);
    expect(life.sent).toHaveLength(11);
    // Never more than one message within the shortest reminder interval, but for the escalations.
    const gaps = life.sent.slice(3).map(({ at }, index) => at - (life.sent[index + 2]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(hour);
    expect(gaps.at(-1)).toBe(day);
  });

  test('the same for a standard and a low-risk job', () => {
    const counts = (['standard', 'low-risk'] as const).map((tier) => {
      const life = new Life();
      life.fail({ tier });
      life.pass(week, () => life.fail({ tier }));
      return life.kinds();
    });
    expect(counts[0]).toHaveLength(10);
    expect(counts[1]).toEqual(['opened', 'reminder', 'reminder']);
  });

  test('one failure and one recovery are two messages', () => {
    const life = new Life();
    life.fail();
    life.pass(10);
    life.succeed();
    life.pass(2 * 24 * 60);
    expect(life.kinds()).toEqual(['opened', 'resolved']);
    expect(life.incident && isOver(life.incident, life.now)).toBe(true);
  });

  test('a failure that is over before its message went out is still reported, once', () => {
    const life = new Life();
    life.fail();
    life.succeed();
    life.pass(60);
    expect(life.sent.map(({ kind, state }) => `${kind} ${state}`)).toEqual(['opened resolved']);
  });

  test('the same run seen twice counts once', () => {
    const incident = opened(failure(), seven);
    expect(seenAgain(incident, failure(), seven + minute)).toBeUndefined();
    expect(seenAgain(incident, failure({ run: 'next' }), seven + minute)?.count).toBe(2);
  });

  test('what another incident took the place of ends without a message', () => {
    const life = new Life();
    life.fail({ cause: 'late-start' });
    life.pass(5);
    life.incident = life.incident && superseded(life.incident, life.now);
    life.pass(60);
    expect(life.kinds()).toEqual(['opened']);
  });
});

describe('flapping', () => {
  test('a job that fails and recovers every ten minutes for a day is reported five times, then reminded of', () => {
    const life = new Life();
    life.pass(24 * 60, (at) => {
      if (at % 20 === 0) life.fail();
      if (at % 20 === 10) life.succeed();
    });
    expect(life.kinds().slice(0, 5)).toEqual(['opened', 'resolved', 'opened', 'resolved', 'flapping']);
    // 72 failures and as many recoveries.
    expect(life.sent.length).toBeLessThanOrEqual(12);
    expect(life.kinds().slice(5)).not.toContain('opened');
    expect(life.kinds().slice(5)).not.toContain('resolved');
  });

  test('it ends, with a word, once it has stayed good for a day', () => {
    const life = new Life();
    life.pass(80, (at) => {
      if (at % 20 === 0) life.fail();
      if (at % 20 === 10) life.succeed();
    });
    life.pass(23 * 60);
    expect(life.kinds().at(-1)).not.toBe('resolved');
    life.pass(2 * 60);
    expect(life.kinds().at(-1)).toBe('resolved');
    expect(life.incident?.state).toBe('resolved');
    const { length } = life.sent;
    life.pass(3 * 24 * 60);
    expect(life.sent).toHaveLength(length);
    expect(life.incident && isOver(life.incident, life.now)).toBe(true);
  });
});

describe('escalation', () => {
  test('goes to the successor, then to the fallback, at the times of the tier', () => {
    for (const [tier, first, second] of [
      ['critical', 30, 60],
      ['standard', 240, 480],
    ] as const) {
      const life = new Life();
      life.fail({ tier });
      life.pass(600);
      const steps = life.sent.filter(({ kind }) => kind === 'escalated');
      expect(steps.map(({ at, level }) => [(at - seven) / minute, level])).toEqual([
        [first, 1],
        [second, 2],
      ]);
    }
  });

  test('stops when it is acknowledged, and reminders become rare', () => {
    const life = new Life();
    life.fail();
    life.pass(5);
    life.acknowledge();
    life.pass(3 * 24 * 60);
    expect(life.kinds()).toEqual(['opened', 'reminder', 'reminder', 'reminder']);
    life.succeed();
    life.pass(5);
    expect(life.kinds().at(-1)).toBe('resolved');
  });

  test('a job that comes back after a recovery begins at its owner again', () => {
    const life = new Life();
    life.fail();
    life.pass(90);
    expect(life.incident?.level).toBe(2);
    life.succeed();
    life.pass(10);
    life.fail();
    life.pass(5);
    expect(life.sent.at(-1)).toMatchObject({ kind: 'opened', level: 0 });
  });

  test('a warning is never escalated', () => {
    const life = new Life();
    life.fail({ cause: 'too-long' });
    life.pass(week);
    expect(life.kinds()).not.toContain('escalated');
    expect(severityOf('too-long', 'critical')).toBe('warning');
    expect(severityOf('missed', 'critical')).toBe('critical');
    expect(severityOf('metric', 'critical')).toBe('error');
    expect(severityOf('failed', 'low-risk')).toBe('warning');
  });
});

test('a person may resolve what no run will, and it is reported at once', () => {
  const life = new Life();
  life.fail();
  life.pass(5);
  life.incident = life.incident && resolvedByHand(life.incident, life.now);
  life.pass(1);
  expect(life.kinds()).toEqual(['opened', 'resolved']);
});
