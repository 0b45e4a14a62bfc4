import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { replay } from '../../cli/commands/replay.ts';
import { findHome } from '../../cli/home.ts';
import { attribute } from '../../shared/drift/attribution.ts';
import { changesBetween } from '../../shared/drift/change.ts';
import { detect } from '../../shared/drift/detect.ts';
import { movedAt } from '../../shared/drift/moved.ts';
import { chanceFor } from '../support/drift/families.ts';

const manifest = `description: Scores prospects.
owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
run: { command: [python, score.py] }
outputs: [scores.json]
replay: { command: [python, score.py], timeout: 20s }
`;

/** Scores by a weight, which stands for the model; when it ran is in its output. */
const script = (weight: number, more = '') => `
import json, os, time
assert os.environ.get('JOB_REPLAY') == '1' and 'CRM_API_KEY' not in os.environ
rows = json.load(open('rows.json'))
${more}
json.dump({'took': time.perf_counter(), 'high': sum(1 for r in rows if r * ${weight} > 50), 'scores': [round(r * ${weight}, 6) for r in rows]}, open('scores.json', 'w'))
`;

let root: string;
const out: string[] = [];
const folder = () => join(root, 'jobs', 'score');

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'replay-test-'));
  await mkdir(join(folder(), 'golden'), { recursive: true });
  await writeFile(join(folder(), 'job.yaml'), manifest);
  await writeFile(join(folder(), 'README.md'), '# Scores\n');
  await writeFile(join(folder(), 'score.py'), script(1));
  for (let i = 0; i < 4; i++) {
    const input = join(folder(), 'golden', `case-${i}`, 'input');
    await mkdir(input, { recursive: true });
    await writeFile(join(input, 'rows.json'), JSON.stringify([10 * i, 40 + i, 49, 51]));
  }
  out.length = 0;
  vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true, force: true });
});

const lamp = (options = {}) => replay(findHome(root), 'score', { repeat: 2, ...options });

test('accepted answers are answered again; what differs by itself is learnt and left out', async () => {
  await lamp({ accept: true });
  expect(JSON.parse(await readFile(join(folder(), 'golden', 'noise.json'), 'utf8'))).toEqual({
    replays: 2,
    share: 0,
    volatile: { 'scores.json': ['$.took'] },
  });
  expect(await lamp()).toBe(0);
  expect(out.at(-1)).toContain('score answers as accepted (0 of 4 examples changed');
});

test('a swapped model is found by its answers, with the worst of them', async () => {
  await lamp({ accept: true });
  await writeFile(join(folder(), 'score.py'), script(1.02));
  expect(await lamp()).toBe(1);
  expect(out.join('\n')).toMatch(/answers otherwise than accepted.*4 of 4/);
  expect(out.join('\n')).toContain('case-1 scores.json $.scores[0]: number 10 → number 10.2');
});

test('a replay that fails or never ends is a changed answer, not a hanging command', async () => {
  await lamp({ accept: true });
  await writeFile(join(folder(), 'job.yaml'), manifest.replace('20s', '1s'));
  await writeFile(join(folder(), 'score.py'), script(1, 'time.sleep(60) if rows[0] == 0 else 1 / 0'));
  expect(await lamp()).toBe(1);
  expect(out.join('\n')).toContain('case-0: not over after 1 s');
  expect(out.join('\n')).toContain('case-1: exit 1: ZeroDivisionError');
});

test('without examples the command says where they go', async () => {
  await rm(join(folder(), 'golden'), { recursive: true });
  await expect(lamp()).rejects.toThrow('jobs/score/golden/<example>/input');
});

/** 240 days of a scorer; from day 200 on either its weight or its data is another. */
async function year(what: 'model' | 'data') {
  const chance = chanceFor(`scorer ${what}`);
  const days = Array.from({ length: 240 }, (_, i) => {
    const weight = what === 'model' && i >= 200 ? 1.15 : 1;
    const shift = what === 'data' && i >= 200 ? 6 : 0;
    const rows = Array.from({ length: 300 }, () => 40 + shift + 12 * chance.normal());
    const high = rows.filter((row) => row * weight > 50).length / rows.length;
    return { high, mean: rows.reduce((sum, row) => sum + row / rows.length, 0), model: `scorer-${weight}` };
  });
  const share = detect({ id: what, hint: 'share', period: 7, values: days.map(({ high }) => high) });
  const found = share.find(({ index, cp }) => index >= 200 && cp !== undefined);
  if (found?.cp === undefined) throw new Error('the shift was not found');
  const { cp } = found;
  const changes = days.flatMap((after, i) => {
    const before = days[i - 1];
    return before ? changesBetween({ model: before.model }, { model: after.model }, i) : [];
  });
  const input = days.slice(0, cp + 5).map(({ mean }, step) => ({ step, value: mean }));
  const moved = movedAt(input, cp, { kind: 'gauge', period: 7 });
  if (moved) changes.push({ kind: 'input-profile', at: cp, text: 'what came in changed' });
  await lamp({ accept: true });
  if (what === 'model') await writeFile(join(folder(), 'score.py'), script(1.15));
  const replayed = (await lamp()) === 1 ? 'moved' : 'still';
  return { cp, ...attribute({ change: cp, changes, replay: replayed, inputs: moved ? 'moved' : 'still' }) };
}

test('a model swapped at day 200 is blamed on the model, and not on the data', async () => {
  const { cp, candidates, verdict } = await year('model');
  expect(Math.abs(cp - 200)).toBeLessThanOrEqual(1);
  expect(candidates[0]?.change?.text).toBe('the model changed from scorer-1 to scorer-1.15');
  expect(verdict).toBe('agent');
});

test('data that shift at day 200 under the same model are blamed on the data', async () => {
  const { candidates, verdict } = await year('data');
  expect(candidates[0]?.change?.kind).toBe('input-profile');
  expect(verdict).toBe('inputs');
});

test('a script that leaves a process of its own session behind has answered when it is over itself', async () => {
  const left = "import subprocess; subprocess.Popen(['sleep', '20'], start_new_session=True)";
  await writeFile(join(folder(), 'job.yaml'), manifest.replace('timeout: 20s', 'timeout: 5s'));
  await lamp({ accept: true });
  await rm(join(folder(), 'golden', 'case-1'), { recursive: true });
  await rm(join(folder(), 'golden', 'case-2'), { recursive: true });
  await rm(join(folder(), 'golden', 'case-3'), { recursive: true });
  await writeFile(join(folder(), 'score.py'), script(1, left));
  expect(await lamp()).toBe(0);
  expect(out.join()).not.toContain('not over after');
});
