import { expect, test } from 'vitest';
import { cut, withoutQueries } from '../shared/text.ts';

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

test.each([
  ['see https://x.blob.core.windows.net/a?sv=1&sig=s now', 'see https://x.blob.core.windows.net/a?… now'],
  ['"https://x/a?sig=s" and <http://y/b#t>', '"https://x/a?…" and <http://y/b?…>'],
  ["HTTPS://X/A?SIG=S'", "HTTPS://X/A?…'"],
  ['no=9https://x?sig=s', 'no=9https://x?…'],
  ['https://x?a=https://y?sig=s z', 'https://x?… z'],
  ['https://x/a, why? because a:b//c?d, and ://x?y', 'https://x/a, why? because a:b//c?d, and ://x?y'],
])('of an address in a text only its query goes: %s', (text, plain) => {
  expect(withoutQueries(text)).toBe(plain);
});

test.each([
  'a.',
  'a://',
  'a-b+',
  'https://x/',
  '://',
  '?#',
])('a text of a million characters, all %s, is read once', (piece) => {
  const text = piece.repeat(1_000_000 / piece.length);
  const began = process.cpuUsage().user;
  expect(withoutQueries(text).length).toBeLessThanOrEqual(text.length);
  // Milliseconds when each character is read once, minutes when it is read for each one before it.
  expect(process.cpuUsage().user - began).toBeLessThan(5_000_000);
});
