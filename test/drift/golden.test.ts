import { describe, expect, test } from 'vitest';
import { differing, leavesOf, volatilePlaces } from '../../shared/drift/canonical.ts';
import { alarmAt, judgeReplay, type Noise, noiseOf, type Outputs } from '../../shared/drift/golden.ts';

const changes = (path: string, a: string, b: string) => differing(leavesOf(path, a), leavesOf(path, b));
const quiet: Noise = { replays: 3, share: 0, volatile: {} };
const output = (text: string): Outputs => new Map([['out.json', leavesOf('out.json', text)]]);

describe('two outputs', () => {
  test.each([
    ['a.json', '{"a":1,"b":[1.0,2]}', '{ "b": [1, 2.0], "a": 1 }'],
    ['a.json', '{"sum":0.30000000000000004}', '{"sum":0.3}'],
    ['a.json', '{"at":"2026-01-01T07:00:00Z"}', '{"at":"2026-02-02T08:30:00+01:00"}'],
    ['a.csv', 'id,score\r\n1,"2.50"\r\n', 'id,score\n1,2.5\n'],
    ['a.csv', '\uFEFFa,b\n"x, ""y""",2\n', 'a,b\n"x, ""y""",2'],
    ['a.txt', 'Hello   world \r\n\r\n', 'Hello world\n'],
    ['a.txt', 'run 123e4567-e89b-12d3-a456-426614174000', 'run 00000000-e89b-12d3-a456-426614174000'],
  ])('%s: %j and %j are the same', (path, a, b) => {
    expect(changes(path, a, b)).toEqual([]);
  });

  test.each([
    ['a.json', '{"a":1}', '{"a":"1"}', ['$.a']],
    ['a.json', '[1,2]', '[1]', ['$.length', '$[1]']],
    ['a.csv', 'id,score\n1,2\n', 'id,score\n1,3\n', ['row 0.score']],
    ['a.csv', 'id,score\n1,2\n', 'id,points\n1,2\n', ['columns', 'row 0.score', 'row 0.points']],
    ['a.txt', 'yes', '```\nyes\n```', ['line 1', 'line 2', 'line 3']],
  ])('%s: %j and %j differ at %j', (path, a, b, expected) => {
    expect(changes(path, a, b)).toEqual(expected);
  });

  test('JSON that is none is compared as text, and a very deep one does not overflow', () => {
    expect(changes('a.json', '{broken', '{broken')).toEqual([]);
    const deep = '['.repeat(5_000) + ']'.repeat(5_000);
    expect(() => leavesOf('a.json', deep)).not.toThrow();
  });

  test('places that differ between replays of the same code are left out, in every row', () => {
    const [a, b, c] = [10, 20, 30].map((ms) =>
      leavesOf('a.json', `{"rows":[{"ms":${ms},"x":1},{"ms":${ms + 1},"x":2}]}`),
    );
    if (!a || !b || !c) throw new Error('three outputs');
    expect([...volatilePlaces([a, b])]).toEqual(['$.rows[].ms']);
    expect(differing(a, c, volatilePlaces([a, b]))).toEqual([]);
  });
});

describe('the binomial rule', () => {
  test.each([
    [10, 0, 1],
    [20, 0, 1],
    [20, 0.02, 4],
    [20, 0.05, 6],
    [20, 0.1, 8],
    [50, 0.02, 6],
    [50, 0.05, 10],
    [50, 0.1, 14],
  ])('of %i examples with a noise of %f, %i must have changed', (n, p, k) => {
    expect(alarmAt(n, p)).toBe(k);
  });

  test('a job that always answers differently can never be judged', () => {
    expect(alarmAt(20, 1)).toBe(21);
  });
});

describe('a replay', () => {
  const accepted = new Map(Array.from({ length: 20 }, (_, i) => [`case ${i}`, output(`{"label":"A","n":${i}}`)]));
  const now = (changed: number) =>
    new Map([...accepted].map(([name, was], i) => [name, i < changed ? output('{"label":"B"}') : was]));

  test('of a deterministic job: one difference is proof', () => {
    expect(judgeReplay(accepted, now(0), quiet)).toMatchObject({ state: 'still', changed: 0 });
    expect(judgeReplay(accepted, now(1), quiet)).toMatchObject({ state: 'moved', changed: 1, alarmAt: 1 });
  });

  test('of a job with noise: fewer than the rule says are none', () => {
    const noisy = { ...quiet, share: 0.05 };
    expect(judgeReplay(accepted, now(5), noisy).state).toBe('still');
    expect(judgeReplay(accepted, now(6), noisy).state).toBe('moved');
  });

  test('shows the three that changed most, and counts a failed replay as changed', () => {
    const result = judgeReplay(accepted, new Map([...now(5)].slice(0, 19)), quiet);
    expect(result.changed).toBe(6);
    expect(result.worst).toHaveLength(3);
    expect(result.worst[0]).toMatchObject({ example: 'case 0', was: 'string A', is: 'string B' });
  });

  test('without examples says nothing', () => {
    expect(judgeReplay(new Map(), new Map(), quiet).state).toBe('unknown');
  });

  test('noise is measured without the places that always differ', () => {
    const twice = (a: string, b: string) => [output(a), output(b)];
    const noise = noiseOf(
      new Map([
        ['one', twice('{"ms":1,"x":1}', '{"ms":2,"x":1}')],
        ['two', twice('{"ms":5,"x":1}', '{"ms":5,"x":1}')],
      ]),
    );
    expect(noise).toEqual({ replays: 2, share: 0, volatile: { 'out.json': ['$.ms'] } });
  });
});
