import { beforeAll, expect, test } from 'vitest';
import { type Files, World } from '../support/shim/shim.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
});

const script = `
import os, sys, time
text = open('in.txt').read().strip()
if text == 'hang':
    time.sleep(600)
if text == 'fail':
    raise SystemExit('cannot score this row')
with open('out.csv', 'w') as file:
    file.write(f'score,key,slot\\n{len(text)},{os.environ.get("MODEL_KEY", "none")},{os.environ.get("JOB_SCHEDULED_FOR", "none")}\\n')
with open(os.environ['JOB_METRICS'], 'a') as file:
    file.write('{"model": {"scorer-1": 1}}\\n')
`;

function files(inputs: Record<string, string>): Files {
  const golden = Object.entries(inputs).map(([name, text]) => [`golden/${name}/input/in.txt`, text]);
  return {
    'main.py': script,
    'golden/bare/accepted/out.csv': 'score\n',
    'out.csv': 'old\n',
    ...Object.fromEntries(golden),
  };
}

interface Entry {
  example: string;
  files?: Record<string, string>;
  problem?: string;
  kind?: string;
}

async function replay(inputs: Record<string, string>, secrets: Record<string, string> = {}, repeats = 2) {
  const examples = [...Object.keys(inputs), 'bare'];
  const config = {
    command: ['python', 'main.py'],
    examples,
    repeats,
    outputs: ['out.csv'],
    timeoutMs: 1_500,
    stopAfter: 3,
  };
  const spec = await world.spec(files(inputs), {
    command: ['lamplighter-replay', JSON.stringify(config)],
    outputs: ['lamplighter-replay.txt'],
    secrets,
    timeoutMs: 60_000,
  });
  const { result } = await world.run(spec);
  const report = JSON.parse((await world.read(`${spec.run}/outputs/lamplighter-replay.txt`)).toString());
  return { result, report };
}

test('each example is answered in a copy of its own, what lies there is no answer, and one that hangs or fails says so', async () => {
  const { result, report } = await replay({ short: 'ab', long: 'abcdef', broken: 'fail', stuck: 'hang' });
  expect(result.outcome).toBe('succeeded');
  expect(result.metrics).toEqual({ model: { 'scorer-1': 1 } });
  const said = report.replays.map(({ example, files: left, problem, kind }: Entry) => [
    example,
    left ? report.texts[left['out.csv'] ?? ''] : `${kind}: ${problem}`,
  ]);
  const once = [
    ['short', 'score,key,slot\n2,none,none\n'],
    ['long', 'score,key,slot\n6,none,none\n'],
    ['broken', 'failed: exit 1: cannot score this row'],
    ['stuck', 'late: not over after 1.5 s'],
    ['bare', 'missing: golden/bare/input is missing'],
  ];
  expect(said).toEqual([...once, ...once]);
});

test('a secret that a replay was given is not in its report', async () => {
  const { report } = await replay({ short: 'ab' }, { MODEL_KEY: 'correct-horse-battery' }, 1);
  expect(JSON.stringify(report)).not.toContain('correct-horse');
  expect(Object.values(report.texts)).toEqual(['score,key,slot\n2,***,none\n']);
});
