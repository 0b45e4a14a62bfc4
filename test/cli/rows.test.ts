import { expect, test } from 'vitest';
import { rowsText } from '../../cli/words.ts';

test('a table that was read in part has more rows than were read', () => {
  expect([rowsText(1, false), rowsText(412, false), rowsText(200_000, true)]).toEqual([
    '1 row',
    '412 rows',
    'more than 200,000 rows',
  ]);
});
