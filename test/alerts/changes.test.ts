import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { changes } from '../../shared/alerts/changes.ts';
import { opened } from '../../shared/alerts/incident.ts';
import { packageChanges, packagesOf } from '../../shared/alerts/packages.ts';
import { storyOf } from '../../shared/alerts/story.ts';
import { tooLongAfter, usualOf } from '../../shared/alerts/usual.ts';
import { hour, minute } from '../../shared/instant.ts';
import { readZipped } from '../../shared/job/unzip.ts';
import { newRun, type Run, type Versions } from '../../shared/run/run.ts';
import { failure } from '../support/alerts/story.ts';
import { seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const versions = (more: Partial<Versions> = {}): Versions => ({
  bundle: 'a'.repeat(64),
  commit: 'c'.repeat(40),
  lock: 'd'.repeat(64),
  image: `reg.contoso.com/runtime@sha256:${'e'.repeat(64)}`,
  python: '3.12.1',
  secrets: { 'crm-key': 'v1' },
  ...more,
});
const run = (more: Partial<Run> = {}): Run =>
  newRun('score', seven, 'schedule', seven, { versions: versions(), ...more });

const lock = (packages: Record<string, string>) =>
  `version = 1\nrequires-python = ">=3.12"\n\n${Object.entries(packages)
    .map(
      ([name, version]) =>
        `[[package]]\nname = "${name}"\nversion = "${version}"\nsource = { registry = "https://pypi.example" }\n`,
    )
    .join('\n')}`;

async function zipOf(files: Record<string, string>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  return buffer(zip.outputStream);
}

describe('what changed since the last success', () => {
  test('is nothing when nothing did', () => {
    expect(changes(run(), run())).toEqual([]);
    expect(changes(null, run())).toEqual(['the job has never succeeded before']);
  });

  test('names code, packages, Python, image, secrets, arguments and volume', () => {
    const next = versions({
      bundle: 'b'.repeat(64),
      commit: 'f'.repeat(40),
      lock: '0'.repeat(64),
      python: '3.13.0',
      secrets: { 'crm-key': 'v2', new: 'v1' },
    });
    const output = (rows: number) => [{ path: 'out.csv', bytes: 1, sha256: null, rows, problem: null }];
    const packages = packageChanges(lock({ pandas: '2.2.3', gone: '1.0' }), lock({ pandas: '3.0.0', fresh: '0.1' }));
    const found = changes(
      run({ outputs: output(1_000) }),
      run({ versions: next, args: ['--all'], outputs: output(10) }),
      { packages },
    );
    expect(found).toEqual([
      'code: aaaaaaaaaaaa → bbbbbbbbbbbb (commit cccccccccccc → ffffffffffff)',
      'package fresh: new → 0.1',
      'package gone: 1.0 → removed',
      'package pandas: 2.2.3 → 3.0.0',
      'Python: 3.12.1 → 3.13.0',
      'secret crm-key: version v1 → v2',
      'secret new: version none → v1',
      'arguments: none → --all',
      'output out.csv: 1000 rows → 10 rows',
    ]);
  });

  test('names an input that halved or doubled, by the metrics whose names say that they came in', () => {
    const found = changes(
      run({ metrics: { rows_read: 412, score: 50, input_mix: { a: 9 }, incoming_calls: 10 } }),
      run({ metrics: { rows_read: 17, score: 1, input_mix: { a: 1 }, incoming_calls: 12 } }),
    );
    expect(found).toEqual(['input rows_read: 412 → 17']);
  });

  test('reads packages out of the bundles of the two runs', async () => {
    const world = await World.inMemory();
    const zips = [
      await zipOf({ 'main.py': 'print(1)', 'uv.lock': lock({ pandas: '2.2.3' }) }),
      await zipOf({ 'uv.lock': lock({ pandas: '3.0.0' }) }),
    ];
    for (const [at, zip] of zips.entries()) await world.store.bundles.put(`bundle${at}`, zip);
    const good = run({
      state: 'succeeded',
      startedAt: seven,
      endedAt: seven + 1,
      versions: versions({ bundle: 'bundle0', lock: 'l0' }),
    });
    const bad = newRun('score', seven + hour, 'schedule', seven, {
      state: 'failed',
      versions: versions({ bundle: 'bundle1', lock: 'l1' }),
    });
    await world.store.runs.insertAll([good, bad]);
    const story = await storyOf(world.parts, opened(failure({ run: bad.id, slot: bad.slot }), seven));
    expect(story.changes).toEqual(['code: bundle0 → bundle1', 'package pandas: 2.2.3 → 3.0.0']);
  });

  test('reads only what a lock file has, and a file only where a zip has it', async () => {
    expect(packagesOf('name = "x"\nversion = "1"\n').size).toBe(0);
    expect(packagesOf(`${lock({ a: '1' })}\n${lock({ a: '2' })}`).get('a')).toBe('1, 2');
    const zip = await zipOf({ 'a.txt': 'a'.repeat(5_000), 'dir/b.txt': 'b' });
    expect(readZipped(zip, 'a.txt')?.toString()).toBe('a'.repeat(5_000));
    expect(readZipped(zip, 'b.txt')).toBeUndefined();
    expect(() => readZipped(Buffer.from('no zip'), 'a.txt')).toThrow('expected a zip');
  });
});

describe('what is usual', () => {
  const took = (ms: number, more: Partial<Run> = {}) =>
    run({ state: 'succeeded', startedAt: seven, endedAt: seven + ms, metrics: { rows: ms }, ...more });

  test('says nothing before the fifth success, and failures do not count', () => {
    const four = [1, 2, 3, 4].map((at) => took(at * minute));
    expect(usualOf(four).durationMs).toBeNull();
    expect(usualOf([...four, took(9, { state: 'failed' })]).durationMs).toBeNull();
    expect(tooLongAfter(usualOf(four))).toBeNull();
  });

  test('is the middle and the range of the last successes', () => {
    const { durationMs, metrics } = usualOf([5, 1, 2, 3, 4].map((at) => took(at * minute)));
    expect(durationMs).toEqual({ median: 3 * minute, low: 1.4 * minute, high: 4.6 * minute });
    expect(metrics.rows).toEqual(durationMs);
  });

  test('three times the middle is too long, and short jobs get two minutes more than their longest', () => {
    const hourLong = usualOf(Array.from({ length: 6 }, () => took(hour)));
    expect(tooLongAfter(hourLong)).toBe(3 * hour);
    const brief = usualOf(Array.from({ length: 6 }, () => took(1_000)));
    expect(tooLongAfter(brief)).toBe(2 * minute + 1_000);
  });
});
