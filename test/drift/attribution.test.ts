import { describe, expect, test } from 'vitest';
import { attribute } from '../../shared/drift/attribution.ts';
import { type Change, changesBetween } from '../../shared/drift/change.ts';
import { causes, incident } from '../support/drift/incidents.ts';

const change = (kind: Change['kind'], at: number): Change => ({ kind, at, text: `${kind} changed` });
const first = (...[evidence]: Parameters<typeof attribute>) => attribute(evidence).candidates[0]?.change?.kind ?? null;

describe('what may have caused a finding', () => {
  test('of 96 incidents with unrelated changes around them, all but six name the cause first', () => {
    const outcomes = causes.flatMap((cause) => Array.from({ length: 12 }, (_, seed) => incident(cause, seed)));
    const detected = outcomes.filter((one) => one.detected);
    expect(detected.length).toBeGreaterThanOrEqual(85);
    const wrong = detected.filter(({ cause, named }) => named !== cause);
    // The six are in docs/drift.md, each with its reason.
    expect(wrong.map(({ cause, named }) => `${cause} called ${named}`).length).toBeLessThanOrEqual(6);
  });

  test('a change at the run counts more than the same kind of change two runs before', () => {
    const { candidates } = attribute({
      change: 50,
      changes: [change('code', 48), change('code', 50)],
      replay: 'unknown',
    });
    expect(candidates.map((one) => one.change?.at)).toEqual([50, 48, undefined]);
  });

  test('changes out of the window are not named, and then nothing changed on our side', () => {
    expect(first({ change: 50, changes: [change('model', 44), change('code', 54)], replay: 'unknown' })).toBeNull();
  });

  test('on a tie nothing of ours is blamed', () => {
    expect(first({ change: 50, changes: [change('code', 47)], replay: 'unknown' })).toBeNull();
  });

  test('a change up to three runs after the one that the detector names counts more than one as far before it', () => {
    const named = (...at: number[]) => {
      const changes = at.map((one) => change('code', one));
      return attribute({ change: 50, changes, replay: 'unknown' }).candidates.map((one) => one.change?.at);
    };
    expect(named(48, 52)).toEqual([52, 48, undefined]);
    expect(named(53, 50)).toEqual([50, 53, undefined]);
  });

  test('a replay that moved blames the model, one that is still blames the data that moved at the same run', () => {
    const changes = [change('model', 50), change('input-profile', 50)];
    expect(first({ change: 50, changes, replay: 'moved' })).toBe('model');
    expect(first({ change: 50, changes, replay: 'still' })).toBe('input-profile');
  });

  test.each([
    ['moved', 'still', 'agent'],
    ['still', 'moved', 'inputs'],
    ['moved', 'moved', 'both'],
    ['still', 'still', 'outside'],
    ['unknown', 'moved', 'inputs'],
    ['unknown', undefined, 'unknown'],
  ] as const)('replay %s and inputs %s: %s', (replay, inputs, verdict) => {
    expect(attribute({ change: 50, changes: [], replay, inputs }).verdict).toBe(verdict);
  });

  test('the weights of all candidates add up to one', () => {
    const { candidates } = attribute({ change: 9, changes: [change('code', 9), change('secret', 8)], replay: 'moved' });
    expect(candidates.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1);
  });
});

describe('what differs between two runs', () => {
  const versions = {
    bundle: 'a'.repeat(64),
    commit: 'c1',
    lock: 'l1',
    image: 'i1',
    python: '3.12.1',
    secrets: { key: '1' },
  };
  const kinds = (...of: Parameters<typeof changesBetween>) => changesBetween(...of).map(({ kind }) => kind);

  test('packages are named with their versions, and the code is not blamed for a new lock file', () => {
    const after = { ...versions, bundle: 'b'.repeat(64), lock: 'l2' };
    const found = changesBetween(
      { versions, packages: { numpy: '2.1' } },
      { versions: after, packages: { numpy: '2.2' } },
      7,
    );
    expect(found).toEqual([{ kind: 'package', at: 7, text: 'the package numpy changed from 2.1 to 2.2' }]);
  });

  test('a package called constructor is compared like any other', () => {
    expect(kinds({ packages: {} }, { packages: { constructor: '1' } }, 1)).toEqual(['package']);
  });

  test('code, Python, image, secret, schedule, manifest, model and fingerprint each have a kind', () => {
    const other = {
      bundle: 'b'.repeat(64),
      commit: 'c2',
      lock: 'l1',
      image: 'i2',
      python: '3.12.2',
      secrets: { key: '2' },
    };
    const before = { versions, model: 'm', fingerprint: 'f1', schedule: 's1', manifest: 'j1' };
    const after = { versions: other, model: 'm', fingerprint: 'f2', schedule: 's2', manifest: 'j2' };
    expect(kinds(before, after, 1).sort()).toEqual(
      ['code', 'image', 'manifest', 'model', 'python', 'schedule', 'secret'].sort(),
    );
  });

  test('what is not known of one of the runs is no change', () => {
    expect(changesBetween({ versions }, { versions: null }, 1)).toEqual([]);
    expect(changesBetween({}, { versions, model: 'm', packages: { a: '1' }, schedule: 's' }, 1)).toEqual([]);
  });
});
