import { expect, test } from 'vitest';
import { once } from '../shared/once.ts';

test('what is made once is given to all, those who ask meanwhile included', async () => {
  let made = 0;
  const get = once(async (name: string) => `${name} ${++made}`);
  expect(await Promise.all([get('a'), get('b')])).toEqual(['a 1', 'a 1']);
  expect(await get('c')).toBe('a 1');
});

test('a failure is reported to all who wait for it, and the next who asks tries again', async () => {
  let away = true;
  const get = once(async () => {
    if (away) throw new Error('away');
    return 'here';
  });
  const waiting = await Promise.allSettled([get(), get()]);
  expect(waiting.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  away = false;
  expect(await get()).toBe('here');
});
