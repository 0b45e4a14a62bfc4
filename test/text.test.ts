import { expect, test } from 'vitest';
import { cut } from '../shared/text.ts';

test('a text that fits is left as it is', () => {
  expect(cut('', 0)).toBe('');
  expect(cut('four', 4)).toBe('four');
});

test('a long text is cut to the limit, and says how long it was', () => {
  const text = cut('x'.repeat(40_000), 100);
  expect(text).toBe(`${'x'.repeat(100 - '… (cut; 40000 characters in all)'.length)}… (cut; 40000 characters in all)`);
  expect(text).toHaveLength(100);
});

test('a text that is cut again still says how long it was at first', () => {
  expect(cut(cut('x'.repeat(40_000), 4_000), 100)).toBe(cut('x'.repeat(40_000), 100));
});

test('no surrogate pair is cut in two, and no limit is too small', () => {
  for (let limit = 0; limit < 120; limit++) {
    const text = cut(`a${'😀'.repeat(100)}`, limit);
    expect(text.length).toBeLessThanOrEqual(limit);
    expect(text.isWellFormed()).toBe(true);
  }
});
