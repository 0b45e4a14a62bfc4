import { createHash } from 'node:crypto';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lineOf } from '../../cli/archive/kinds.ts';
import { importHistory } from '../../cli/archive/read.ts';
import { day, hour } from '../../shared/instant.ts';
import { newRun, type Run } from '../../shared/run/run.ts';
import { openEmbedded } from '../../shared/store/embedded/store.ts';
import { runCodec } from '../../shared/store/runs.ts';
import { bothStores, fileOf, historyOf } from '../support/cli/history.ts';
import { seven } from '../support/pipeline/cast.ts';
import { freshFolder } from '../support/storage/account.ts';

/** Names in a file of history that lead elsewhere, and a store whose folders do. */

const now = seven + 30 * day;
const over: Run = { ...newRun('score', seven, 'schedule', 1), state: 'succeeded', endedAt: seven + hour };

const zip = 'a zip of another';
const digest = createHash('sha256').update('a zip').digest('hex');
const bad = [
  `attempts/score/${over.id}/1/outputs/../../../../../bundles/${digest}.zip`,
  `attempts/score/${over.id}/1/outputs/../result.json`,
  `attempts/score/${over.id}/1/outputs/./a.csv`,
  `attempts/score/${over.id}/1/outputs//a.csv`,
  `attempts/score/${over.id}/1/outputs/a\\..\\..\\b.csv`,
  `attempts/../bundles/1/outputs/${digest}.zip`,
  `attempts/score/../1/result.json`,
  `bundles/../attempts/score/${over.id}/1/result.json`,
];
test.each(bothStores)('a file whose path leads out of its run is refused by %s', async (_, open) => {
  const there = await open();
  for (const path of bad) {
    const forged = await historyOf([
      ['rows/runs/score/000001.jsonl', `${lineOf(runCodec, over)}\n`],
      [path, zip],
    ]);
    await expect(importHistory(there, forged, 'dana', now), path).rejects.toThrow(
      /is no sound file of lamp export \(it holds/,
    );
    // And not by what stores a file, either.
    const inner = path.slice(path.indexOf('/') + 1);
    await expect(there.files.attempts.create(inner, fileOf(zip)), path).rejects.toThrow('is no name of a file');
  }
  expect(await there.bundles.get(digest)).toBeUndefined();
  expect(await there.attempts.result({ job: 'score', run: over.id, attempt: 1 })).toBeUndefined();
});

test('a link that a container left in its folder leads no import out of it', async () => {
  const [folder, elsewhere] = [freshFolder(), freshFolder()];
  const there = openEmbedded(folder);
  await there.runs.insert(over);
  const attempt = join(folder, 'attempts', 'score', over.id, '1');
  await mkdir(attempt, { recursive: true });
  await symlink(elsewhere, join(attempt, 'outputs'));
  const path = await historyOf([
    ['rows/runs/score/000001.jsonl', `${lineOf(runCodec, over)}\n`],
    [`attempts/score/${over.id}/1/outputs/deep/a.csv`, 'x'],
  ]);
  await expect(importHistory(there, path, 'dana', now)).rejects.toThrow(/outputs is a link or no folder: remove it/);
  expect(await readdir(elsewhere)).toEqual([]);
  await mkdir(join(elsewhere, 'deep'));
  await writeFile(join(elsewhere, 'deep', 'a.csv'), 'of someone else');
  expect(await there.files.attempts.read(`score/${over.id}/1/outputs/deep/a.csv`)).toBeUndefined();
});
