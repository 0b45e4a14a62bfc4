import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFolder } from '../../cli/host/folder.ts';
import { nudges } from '../../shared/executors/nudge.ts';
import { processExecutor } from '../../shared/executors/process/process.ts';
import type { Catalog } from '../../shared/job/catalog.ts';
import type { Parts } from '../../shared/parts.ts';
import { enqueue } from '../../shared/pipeline/claim.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { pipeline } from '../../shared/pipeline.ts';
import { newRun } from '../../shared/run/run.ts';
import type { AttemptId } from '../../shared/store/attempts.ts';
import { openEmbedded } from '../../shared/store/embedded/store.ts';
import { python, shim } from '../support/shim/shim.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamp-replayed-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const scores = (model: string) => `
import csv, os
rows = list(csv.DictReader(open('in.csv')))
with open('out.csv', 'w') as file:
    file.write('score\\n' + ''.join(f'{${model}:.3f}\\n' for x in [float(row['x']) for row in rows]))
`;
const manifest = `description: Scores rows of one figure.
owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
run: { command: [python, main.py] }
outputs: [out.csv]
replay: { command: [python, main.py], timeout: 10s }
`;

async function put(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, 'jobs', 'score', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

test('real shims answer the frozen examples, and new code is found before its first run', {
  timeout: 60_000,
}, async () => {
  await put({
    'job.yaml': manifest,
    'README.md': 'Scores.',
    'main.py': scores('0.2 + x / 2'),
    'in.csv': 'x\n0.5\n',
    'golden/low/input/in.csv': 'x\n0.1\n',
    'golden/low/accepted/out.csv': 'score\n0.250\n',
    'golden/high/input/in.csv': 'x\n0.9\n0.8\n',
    'golden/high/accepted/out.csv': 'score\n0.650\n0.600\n',
  });
  const store = openEmbedded(join(folder, 'store'));
  await store.prepare();
  const ends: AttemptId[] = [];
  const shimLog = join(folder, 'shim.log');
  const executor = processExecutor({ python, shim, shimLog, ended: (id) => void ends.push(id) });
  let catalog: Catalog = new Map();
  const parts: Parts = {
    ...{ store, executor, catalog: () => catalog, emit: () => {}, person: 'host' },
    vault: { place: '', read: () => Promise.reject(), version: () => Promise.reject() },
    settings: { nudges: nudges(null, () => store.keys('nudge')), cache: null },
  };
  const work = pipeline(parts);
  /** Until nothing is queued, nothing runs and nothing has ended. */
  const settle = async () => {
    for (;;) {
      const taken = await store.launches.take(32, 60);
      for (const { text, done } of taken) {
        await work.launch(text, Date.now());
        await done();
      }
      await executor.idle();
      const ended = ends.splice(0);
      for (const id of ended) await work.finish(id, Date.now());
      if (taken.length + ended.length === 0) return;
    }
  };
  const deploy = async () => {
    catalog = (await readFolder(join(folder, 'jobs'))).catalog;
    await register(parts, catalog, Date.now());
    await settle();
  };

  await deploy();
  expect(await store.replays.list('score', 9)).toEqual([]);
  const now = Math.floor(Date.now() / 1_000) * 1_000;
  await enqueue(parts, newRun('score', now, 'manual', now), now);
  await settle();
  expect(await store.replays.list('score', 9)).toMatchObject([
    { reason: 'pin', state: 'still', changed: 0, of: 2, repeats: 5, error: null, problems: {} },
  ]);

  await put({ 'main.py': scores('0.2 + x / 3') });
  await deploy();
  const replays = await store.replays.list('score', 9);
  expect(replays.map(({ reason, state }) => `${reason} ${state}`)).toEqual([
    'confirm moved',
    'change moved',
    'pin still',
  ]);
  expect(replays[0]?.worst[0]).toEqual({
    example: 'high',
    file: 'out.csv',
    path: 'row 0.score',
    was: 'number 0.65',
    is: 'number 0.5',
  });
  const [finding] = await store.drift.findings('score', 1);
  expect(finding).toMatchObject({ signs: [], attribution: { verdict: 'early' }, replay: { changed: 2, of: 2 } });
  expect(finding?.attribution?.candidates[0]?.change?.kind).toBe('code');
  store.close();
});
