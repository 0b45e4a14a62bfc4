import { expect, test } from 'vitest';
import { storyOf } from '../../shared/alerts/story.ts';
import { hour, minute } from '../../shared/instant.ts';
import type { Store } from '../../shared/store/store.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const stamp = '2026-11-20T08:00:00.123Z';

async function failedAt(eight = seven + hour) {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  await world.pass(seven + 30 * minute);
  return {
    world,
    async fail() {
      world.platform.behave = () => 'fail';
      await world.pass(eight + 2 * minute);
      for await (const { value } of world.store.incidents.openOf('score')) return storyOf(world.parts, value);
      throw new Error('no incident');
    },
  };
}

const said = (
  attempts: Store['attempts'],
  change: (result: NonNullable<Awaited<ReturnType<Store['attempts']['result']>>>) => void,
) => {
  const { result } = attempts;
  attempts.result = async (id) => {
    const found = structuredClone(await result(id));
    if (found) change(found);
    return found;
  };
};

test('without a traceback the last lines come from the end of the log, whatever its size', async () => {
  const { world, fail } = await failedAt();
  const { attempts } = world.store;
  said(attempts, (found) => {
    if (found.error) found.error.detail = '';
    found.log.text = null;
  });
  const asked: number[] = [];
  attempts.logTail = async (_, most) => {
    asked.push(most);
    return Buffer.from(`${'é'.repeat(20_000)}\n${stamp} the last but one\n${stamp} the last line\n`).subarray(-most);
  };
  const { detail } = await fail();
  expect(detail).toBe('the last but one\nthe last line\n');
  expect(Math.max(...asked)).toBeLessThanOrEqual(16 * 1024);
});

test('a short log is in the result, and nothing more is read', async () => {
  const { world, fail } = await failedAt();
  said(world.store.attempts, (found) => {
    if (found.error) found.error.detail = '';
    found.log.text = `${stamp} short\n`;
  });
  world.store.attempts.logTail = () => Promise.reject(new Error('not needed'));
  expect((await fail()).detail).toBe('short\n');
});

test('a change of schedule or tier since the last success is named', async () => {
  const { world, fail } = await failedAt();
  world.now += minute;
  const changed = { ...job('score', { schedule: '{ cron: "0 8 * * *" }' }), tier: 'critical' as const };
  await world.deploy(changed, 'print(2)');
  const { changes } = await fail();
  expect(changes).toContain('tier: standard → critical');
  expect(changes?.find((one) => one.startsWith('schedule: '))).toMatch(/0 \* \* \* \*.* → .*0 8 \* \* \*/);
});

test('a deployment that changes neither names neither', async () => {
  const { world, fail } = await failedAt();
  world.now += minute;
  await world.deploy(job('score', { schedule: hourly }), 'print(2)');
  const { changes = [] } = await fail();
  expect(changes.filter((one) => /^(tier|schedule)/.test(one))).toEqual([]);
});
