import { expect, test } from 'vitest';
import { Turns } from '../shared/turns.ts';

test('work on one thing is done in its order, also after one that fails, and other things do not wait', async () => {
  const turns = new Turns();
  const seen: string[] = [];
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const first = turns.take('score', async () => {
    await gate;
    seen.push('first');
    throw new Error('of the first');
  });
  const second = turns.take('score', async () => seen.push('second'));
  await turns.take('pull', async () => seen.push('other'));
  expect(seen).toEqual(['other']);
  open();
  await expect(first).rejects.toThrow('of the first');
  await second;
  expect(seen).toEqual(['other', 'first', 'second']);
  await Promise.resolve();
  expect(turns.size).toBe(0);
});
