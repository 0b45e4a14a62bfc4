import { expect, test } from 'vitest';
import type { Event } from '../../shared/events.ts';
import { insights } from '../../shared/telemetry/insights.ts';
import type { Reported } from '../../shared/telemetry/sender.ts';
import { catalogOf, job, started } from '../support/pipeline/cast.ts';

const catalog = catalogOf(job('score'), { ...job('pay'), tier: 'critical' });
const attempt = (name: string, id: string): Event => ({ type: 'attempt-failed', run: started(name, { id }) });
const tick: Event = { type: 'ticked', host: 'h', jobs: 2, behindMs: 0, tookMs: 1, setAside: 0 };
const names = (reported: Reported[]) =>
  reported.map(({ event }) => `${event.name} ${'run' in event.properties ? event.properties.run : ''}`.trim());

function world(options: { most?: number; flushMs?: number } = {}) {
  const portions: Reported[][] = [];
  const log: string[] = [];
  const gate = { open: Promise.resolve() };
  const telemetry = insights({
    connection: '',
    catalog: () => catalog,
    log: (line) => log.push(line),
    ...options,
    open: async () => ({
      async send(reported) {
        await gate.open;
        portions.push(reported);
      },
    }),
  });
  return { telemetry, portions, log, gate, all: () => portions.flat() };
}

test('25,000 events of one invocation all leave, in portions, and sending begins before its end', async () => {
  const { telemetry, portions, log, all } = world();
  for (let at = 0; at < 12_500; at++) telemetry.emit(attempt('score', `a${at}`));
  await new Promise(setImmediate);
  expect(portions.length).toBeGreaterThan(0);
  for (let at = 12_500; at < 25_000; at++) telemetry.emit(attempt('score', `a${at}`));
  await telemetry.flush();
  expect(all()).toHaveLength(25_000);
  expect(new Set(names(all())).size).toBe(25_000);
  expect(Math.max(...portions.map(({ length }) => length))).toBe(500);
  expect(log).toEqual([]);
});

test('what concerns critical jobs and the service itself leaves first, each kind in its order', async () => {
  const { telemetry, all } = world();
  for (const one of [attempt('score', 'a'), attempt('pay', 'b'), attempt('score', 'c'), tick, attempt('pay', 'd')]) {
    telemetry.emit(one);
  }
  await telemetry.flush();
  expect(names(all())).toEqual([
    'LamplighterAttempt b',
    'LamplighterTick',
    'LamplighterAttempt d',
    'LamplighterAttempt a',
    'LamplighterAttempt c',
  ]);
});

test('what has no room is dropped from the least urgent, counted, logged, and reported as an event', async () => {
  const { telemetry, log, gate, all } = world({ most: 4, flushMs: 50 });
  let open = () => undefined as undefined;
  gate.open = new Promise((resolve) => {
    open = () => void resolve() as undefined;
  });
  telemetry.emit(tick);
  await telemetry.flush();
  expect(log).toEqual([expect.stringContaining('nothing was accepted within 50 ms')]);
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) telemetry.emit(attempt('score', id));
  telemetry.emit(attempt('pay', 'urgent'));
  open();
  await new Promise(setImmediate);
  await telemetry.flush();
  expect(names(all())).toEqual([
    'LamplighterTick',
    'LamplighterAttempt urgent',
    'LamplighterAttempt a',
    'LamplighterAttempt b',
    'LamplighterAttempt c',
    'LamplighterTrouble',
  ]);
  expect(all().at(-1)?.event.properties).toMatchObject({
    doing: 'sending telemetry',
    error: expect.stringMatching(/^3 events were dropped/),
  });
  expect(log.at(-1)).toMatch(/^3 events were dropped: more than 4 waited/);
});

test('a flush waits on while portions are accepted, though all of them take longer than its limit', async () => {
  const sent: Reported[] = [];
  const log: string[] = [];
  const telemetry = insights({
    connection: '',
    catalog: () => catalog,
    log: (line) => log.push(line),
    flushMs: 60,
    open: async () => ({
      async send(reported) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        sent.push(...reported);
      },
    }),
  });
  for (let at = 0; at < 1_999; at++) telemetry.emit(attempt('score', `a${at}`));
  await telemetry.flush();
  expect(sent).toHaveLength(1_999);
  expect(log).toEqual([]);
});
