import { expect, test } from 'vitest';
import { hour, minute } from '../../shared/instant.ts';
import { forRun, replayJob } from '../../shared/run/replay.ts';
import { newRun } from '../../shared/run/run.ts';
import { deployed, job, seven } from '../support/pipeline/cast.ts';

function of(lines: string, { run = '', locked = false, examples = 2 } = {}) {
  const replay = `outputs: [out.csv]\nreplay: { command: [python, main.py, --replay]${lines} }\n`;
  const one = { ...job('score', { run, more: replay }), locked };
  const names = Array.from({ length: examples }, (_, i) => `e${i}`);
  return { ...deployed(one), golden: { digest: 'd', examples: names, bytes: 1 } };
}

test.each([
  ['none, as side effects are off', '', {}, 'none'],
  ['the one it asks for', ', network: bridge', {}, 'bridge'],
  ['one to fetch packages by', '', { locked: true }, 'bridge'],
  ['none where the job itself has none', '', { locked: true, run: 'network: none' }, 'none'],
  ['never that of the machine', '', { locked: true, run: 'network: host' }, 'bridge'],
] as const)('the network of a replay: %s', (_, lines, more, network) => {
  expect(replayJob(of(lines, more)).network).toBe(network);
});

test('one attempt gets the time of all its examples, six hours at most', () => {
  expect(replayJob(of(', timeout: 2m'), 3).timeoutMs).toBe(12 * minute);
  expect(replayJob(of(', timeout: 1h', { examples: 50 }), 5).timeoutMs).toBe(6 * hour);
});

test('a run of the job is as the job says, a replay leaves its report alone', () => {
  const one = of('');
  expect(forRun(one, newRun('score', seven, 'schedule', seven))).toBe(one);
  const replay = forRun(one, newRun('score', seven, 'replay', seven, { args: ['pin', '5'] })).job;
  expect(replay).toMatchObject({
    outputs: ['lamplighter-replay.txt'],
    inputs: [],
    metrics: {},
    retry: { attempts: 2 },
  });
  expect(JSON.parse(replay.command[1] ?? '')).toMatchObject({ repeats: 5, command: ['python', 'main.py', '--replay'] });
});
