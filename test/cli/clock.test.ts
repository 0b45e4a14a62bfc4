import { expect, test } from 'vitest';
import { steadyClock } from '../../cli/host/clock.ts';

const hour = 3_600_000;
const noon = Date.parse('2026-11-20T12:00:00Z');

/** A machine whose clocks a test moves by hand; the store's clock is right and says whole seconds. */
function machine() {
  const at = { wall: noon, passed: 0 };
  const storeTime = async () => Math.floor((noon + at.passed) / 1_000) * 1_000;
  const clock = steadyClock(
    storeTime,
    () => at.wall,
    () => at.passed,
  );
  const pass = (ms: number) => {
    at.passed += ms;
    at.wall += ms;
  };
  return { at, clock, pass };
}

test('time passes as on the machine while nothing is wrong', async () => {
  const { clock, pass } = machine();
  pass(90_250);
  expect(await clock.sync()).toBe(0);
  expect(clock.now()).toBe(noon + 90_250);
});

test.each([hour, -hour])('a machine clock that is set by %d ms moves nothing', async (jump) => {
  const { at, clock, pass } = machine();
  pass(10_000);
  at.wall += jump;
  expect(clock.now()).toBe(noon + 10_000);
  expect(await clock.sync()).toBe(0);
  pass(60_000);
  expect(clock.now()).toBe(noon + 70_000);
});

test('a host that starts with a wrong clock takes the time of the store', async () => {
  const at = { wall: noon + hour };
  const clock = steadyClock(
    async () => noon,
    () => at.wall,
    () => 0,
  );
  expect(clock.now()).toBe(noon + hour);
  expect(await clock.sync()).toBe(-hour + 500);
  expect(clock.now()).toBe(noon + 500);
});

test('after the machine has slept, which monotonic time does not count, the clock is right again', async () => {
  const at = { wall: noon, passed: 0 };
  const clock = steadyClock(
    async () => Math.floor(at.wall / 1_000) * 1_000,
    () => at.wall,
    () => at.passed,
  );
  at.wall += 8 * hour;
  expect(await clock.sync()).toBe(8 * hour + 500);
  expect(clock.now()).toBe(noon + 8 * hour);
});

test('a clock that cannot reach the store goes on', async () => {
  const clock = steadyClock(
    async () => {
      throw new Error('connect ECONNREFUSED');
    },
    () => noon,
    () => 5,
  );
  await expect(clock.sync()).rejects.toThrow('ECONNREFUSED');
  expect(clock.now()).toBe(noon);
});

test('a store that takes its time to answer does not move the clock', async () => {
  const at = { passed: 0 };
  const clock = steadyClock(
    async () => {
      at.passed += 30_000;
      return noon;
    },
    () => noon + at.passed,
    () => at.passed,
  );
  expect(await clock.sync()).toBe(0);
  expect(clock.now()).toBe(noon + 30_000);
});
