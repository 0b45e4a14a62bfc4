import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { importHistory } from '../../cli/archive/read.ts';
import { entriesOf } from '../../cli/archive/tar.ts';
import { exportHistory } from '../../cli/archive/write.ts';
import { serviceAudit } from '../../shared/actions/clock.ts';
import { verifyAudit } from '../../shared/actions/verify-audit.ts';
import { newState } from '../../shared/drift/state.ts';
import { day, hour } from '../../shared/instant.ts';
import { newJobRow } from '../../shared/run/job-row.ts';
import { newRun, type Run, type RunState } from '../../shared/run/run.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import { openEmbedded } from '../../shared/store/embedded/store.ts';
import type { KeptStore } from '../../shared/store/store.ts';
import { between, pick, randomFrom } from '../faults/random.ts';
import { type Json, lampHome } from '../support/cli/lamp.ts';
import { seven, started } from '../support/pipeline/cast.ts';
import { create, resultOf } from '../support/pipeline/executor.ts';
import { freshAccount, freshFolder } from '../support/storage/account.ts';

const now = seven + 30 * day;
const all = { jobs: [], since: undefined, now };
const zip = Buffer.from('a zip');
const bundle = createHash('sha256').update(zip).digest('hex');

const folder = () => openEmbedded(freshFolder());
async function account(): Promise<KeptStore> {
  const store = openStore(freshAccount());
  await store.prepare();
  return store;
}
const file = () => join(freshFolder(), 'history.tar.gz');

const final: RunState[] = ['succeeded', 'failed', 'timed-out', 'cancelled', 'lost', 'skipped', 'missed'];

/** History of every kind, as a host, shims and people leave it; another one for each seed. */
async function lived(store: KeptStore, seed = 1, jobs = ['score', 'pull-prospects', 'gone']): Promise<void> {
  const random = randomFrom(seed);
  const texts = ['', 'Grüße', 'a "quoted"\nline', '\u{1f4a9}', 'x'.repeat(2_000)];
  await store.bundles.put(bundle, zip);
  await store.bundles.put('f'.repeat(64), Buffer.from('of no run'));
  for (const job of jobs) {
    const paused = random() < 0.5 ? { by: 'dana@contoso.com', why: pick(random, texts), at: seven } : null;
    await store.jobs.insert(newJobRow(job, seven, { bundle, paused, streak: between(random, -9, 9) }));
    const count = job === 'score' ? 103 : between(random, 1, 9);
    const runs: Run[] = Array.from({ length: count }, (_, at) => ({
      ...newRun(job, seven - at * hour, 'schedule', 1),
      state: pick(random, final),
      endedAt: seven - at * hour + between(random, 1, 100_000),
      args: random() < 0.2 ? [pick(random, texts)] : [],
      metrics: { rows: random() < 0.5 ? 3 : 3.25, mix: { a: 1, 'ü b': 2 } },
      warnings: random() < 0.2 ? [pick(random, texts)] : [],
      versions: { bundle, commit: null, lock: null, image: null, python: '3.11', secrets: { 'crm-api-key': 'v1' } },
    }));
    await store.runs.insertAll(runs);
    await store.recent.append(runs);
    for (const one of runs.slice(0, 2)) {
      await store.metrics.append(one, new Map(Object.entries(one.metrics)));
      const id = { job, run: one.id, attempt: 1 };
      const { blobs, outputs } = await store.attempts.urls(id, ['a b/ü.csv'], Date.now() + hour);
      await create(blobs.started, '{"pid":1}');
      await create(blobs.heartbeat, '{}');
      await create(blobs.result, JSON.stringify(resultOf(id, seven, seven + 1, 'succeeded')));
      await create(outputs[0]?.url ?? '', 'x,y\n'.repeat(between(random, 0, 5_000)));
    }
    await store.drift.putStates([newState(job, 'rows', 3), { ...newState(job, 'mix', { a: 1 }), last: seven }]);
    for (let at = 0; at < between(random, 0, 12); at++) {
      await store.events.append({
        job,
        at: seven + between(random, 0, 5 * day),
        kind: pick(random, ['paused', 'resumed', 'run-now']),
        by: 'dana@contoso.com',
        why: pick(random, texts),
        details: { run: 'x', number: at },
      });
    }
  }
  await store.events.append({ job: serviceAudit, at: seven, kind: 'clock-confirmed', by: 'x', why: '', details: {} });
  // What is not over, and what is no history.
  await store.runs.insert(started('score', { id: '20261120T080000Z', slot: seven + hour }));
  await store.marks.advance('cursor', seven, 'host');
}

/** All that is in a file but the time it was made at: rows by kind and job, files by their digest. */
async function content(path: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for await (const { name, body } of entriesOf(path)) {
    const bytes = await buffer(body);
    if (name.startsWith('rows/')) {
      const of = name.split('/').slice(1, 3).join(' ');
      found[of] = [...((found[of] as string[] | undefined) ?? []), ...bytes.toString().trimEnd().split('\n')];
    } else if (name.endsWith('.json')) found[name] = { ...JSON.parse(bytes.toString()), made: '' };
    else found[name] = createHash('sha256').update(bytes).digest('hex');
  }
  return found;
}

async function exported(store: KeptStore, options = all): Promise<string> {
  const path = file();
  await exportHistory(store, path, options);
  return path;
}

const broken = async (store: KeptStore) => (await verifyAudit({ store }, {}, now)).broken;

test.each([1, 2])('history goes from a folder to Azure and back and is the same, with seed %i', async (seed) => {
  const [here, cloud, back] = [folder(), await account(), folder()];
  await lived(here, seed);
  const first = await exported(here);
  const before = await content(first);
  const came = await importHistory(cloud, first, 'dana', now);
  expect(came.brought).toEqual([]);
  expect(came.rows.runs?.added).toBe((before['runs score'] as string[]).length + others(before));
  const there = await exported(cloud);
  expect(await content(there)).toEqual(before);
  expect(await broken(cloud)).toEqual([]);
  const again = await importHistory(cloud, first, 'dana', now);
  for (const tally of Object.values(again.rows)) expect(tally).toMatchObject({ added: 0, newer: 0, kept: 0 });
  expect(again.files.added).toBe(0);

  await importHistory(back, there, 'dana', now);
  expect(await content(await exported(back))).toEqual(before);
  const days: string[] = [];
  for await (const { job, run } of back.recent.list()) days.push(`${job}.${run}`);
  expect(days).toHaveLength(came.rows.runs?.added ?? 0);
  here.close();
  back.close();
});

const others = (found: Record<string, unknown>) =>
  ['runs gone', 'runs pull-prospects'].reduce((sum, of) => sum + (found[of] as string[]).length, 0);

test('imported twice, nothing changes the second time', async () => {
  const here = folder();
  await lived(here);
  const path = await exported(here);
  const there = folder();
  await importHistory(there, path, 'dana', now);
  const after = await content(await exported(there));
  const again = await importHistory(there, path, 'dana', now);
  for (const tally of Object.values(again.rows)) expect(tally).toMatchObject({ added: 0, newer: 0, kept: 0 });
  expect(again.files).toEqual({ added: 0, there: expect.any(Number), kept: 0 });
  expect(await content(await exported(there))).toEqual(after);
});

test('what has come since is added by the next file, and what is newer in the store stays', async () => {
  const [here, there] = [folder(), folder()];
  await lived(here);
  await importHistory(there, await exported(here), 'dana', now);
  const late = { ...newRun('score', now, 'schedule', 1), state: 'succeeded' as const, endedAt: now };
  await here.runs.insert(late);
  await here.events.append({ job: 'score', at: now, kind: 'paused', by: 'dana', why: '', details: {} });
  await here.drift.putStates([{ ...newState('score', 'rows', 3), last: now }]);
  await there.drift.putStates([{ ...newState('score', 'mix', { a: 1 }), last: now + 1 }]);
  const { rows } = await importHistory(there, await exported(here), 'dana', now);
  expect(rows.runs).toMatchObject({ added: 1, kept: 0 });
  expect(rows.audit).toMatchObject({ added: 1 });
  expect(rows.baselines).toMatchObject({ newer: 1, kept: 1 });
  const states = await there.drift.states('score');
  expect(states.map(({ metric, last }) => [metric, last])).toEqual([
    ['mix', now + 1],
    ['rows', now],
  ]);
  expect(await broken(there)).toEqual([]);
});

test('into a store that has an audit of its own the chain of the file goes beside it, and both are verified', async () => {
  const [here, cloud] = [folder(), await account()];
  await lived(here);
  await cloud.jobs.insert(newJobRow('score', seven + day));
  await cloud.events.append({ job: 'score', at: seven + day, kind: 'deployed', by: 'app', why: '', details: {} });
  const path = await exported(here);
  const { brought } = await importHistory(cloud, path, 'dana', now);
  expect(brought).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
  await importHistory(cloud, path, 'dana', now);
  const report = await verifyAudit({ store: cloud }, {}, now);
  expect(report.broken).toEqual([]);
  const entries = (await here.audit.head())?.number ?? 0;
  // Its own entry, and the one of the import, once.
  expect(report.entries).toBe(entries + 2);
  // A job that has not run there takes over what people have decided.
  expect((await cloud.jobs.get('score'))?.value.since).toBe(seven + day);

  // And home again: there the chain is its own.
  const again = await importHistory(here, await exported(cloud), 'dana', now);
  expect(again.brought).toHaveLength(1);
  expect(await broken(here)).toEqual([]);

  // Who shortens or changes what was brought is found out.
  const chain = cloud.rows('audit', {
    keys: (row: Json) => row,
    encode: ({ partitionKey: _p, rowKey: _r, etag: _e, timestamp: _t, ...row }: Json) => row,
    decode: (row) => row,
  });
  const last = await cloud.audit.brought(brought[0] ?? '').head();
  const rowKey = String(999_999_999_999 - (last?.number ?? 0)).padStart(12, '0');
  await chain.remove(`brought-${brought[0]}`, rowKey);
  expect((await broken(cloud)).map(({ kind, text }) => [kind, text])).toContainEqual([
    'removed',
    `in the chain ${brought[0]} that was imported: its head was kept elsewhere, and it is not there`,
  ]);
});

test('what is under way, keys, marks and tickets stay; --job and --since choose', async () => {
  const here = folder();
  await lived(here);
  const key = await here.keys('nudge');
  const path = await exported(here);
  const plain = gunzipSync(await readFile(path));
  for (const form of ['hex', 'base64', 'base64url', 'latin1'] as const) {
    expect(plain.includes(Buffer.from(key.toString(form), form === 'latin1' ? 'latin1' : 'utf8'))).toBe(false);
  }
  const whole = await content(path);
  const names = Object.keys(whole).join('\n');
  expect(names).not.toMatch(/heartbeat|spec\.json|^(service|launch|requests|outbox|active)\b/m);
  expect(JSON.stringify(whole['runs score'])).not.toContain('"state":"running"');
  expect(names).not.toContain('ffffffff');

  const since = seven - hour;
  const some = await content(await exported(here, { jobs: ['gone'] as never[], since: since as never, now }));
  expect(Object.keys(some).filter((name) => name.startsWith('runs '))).toEqual(['runs gone']);
  expect((some['runs gone'] as string[]).length).toBeLessThanOrEqual(2);
  expect(Object.keys(some).some((name) => /^(audit|events)/.test(name))).toBe(false);
  await expect(exportHistory(here, file(), { ...all, jobs: ['gnoe'] })).rejects.toThrow('There is no history of gnoe');
  await expect(exportHistory(here, path, all)).rejects.toThrow('is there already');
});

test('a file that is none, is cut, was changed or is of a newer version is refused with a clear word', async () => {
  const here = folder();
  await lived(here);
  const path = await exported(here);
  const bytes = await readFile(path);
  const there = folder();
  const tried = async (what: Buffer) => {
    const other = file();
    await writeFile(other, what);
    return importHistory(there, other, 'dana', now).then(
      () => 'done',
      (error: Error) => error.message,
    );
  };
  await expect(importHistory(there, file(), 'dana', now)).rejects.toThrow('cannot be read');
  expect(await tried(Buffer.from('no gzip'))).toMatch(/is no sound file of lamp export/);
  expect(await tried(gzipSync(Buffer.from('no tar')))).toMatch(/is no sound file of lamp export/);
  expect(await tried(bytes.subarray(0, bytes.length - 2_000))).toMatch(/is no sound file of lamp export/);
  const plain = gunzipSync(bytes);
  const newer = Buffer.from(plain.toString('latin1').replace('"format": 1', '"format": 2'), 'latin1');
  expect(await tried(gzipSync(newer))).toMatch(
    /has format 2, and this Lamplighter knows 1: a newer one has written it/,
  );
  const code = Buffer.from(plain.toString('latin1').replace('a zip', 'A ZIP'), 'latin1');
  expect(await tried(gzipSync(code))).toMatch(/the bundle [0-9a-f]{64} is not what its name says/);
  // And after all of that the sound one goes in.
  expect(await tried(bytes)).toBe('done');
  expect(await content(await exported(there))).toEqual(await content(path));
});

test('lamp export and lamp import do it from one folder to another, and not under a host that works', async () => {
  const [here, other] = [await lampHome(), await lampHome()];
  try {
    await here.job('score', 'print("hello")');
    const host = await here.start();
    await here.json(['run', 'score', '--wait']);
    const path = file();
    const said = await here.json(['export', path]);
    expect(said).toMatchObject({ rows: { runs: 1, jobs: 1 }, underWay: 0, unreadable: 0 });
    const refused = await here.lamp(['import', path]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('end it first')]);
    host.child.kill('SIGTERM');
    await host.ended;

    expect(await other.json(['import', path])).toMatchObject({ rows: { runs: { added: 1 } } });
    expect((await other.lamp(['import', path])).stdout).toMatch(/^0 +0 +1 +0 +runs$/m);
    await mkdir(join(other.home, 'jobs'), { recursive: true });
    expect((await other.lamp(['logs', 'score'])).stdout).toBe('hello\n');
    expect((await other.lamp(['audit', 'verify'])).stdout).toContain('every link holds');
    const { code, stderr } = await other.lamp(['export', file(), '--account', 'No Account']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is no storage account')]);
  } finally {
    await here.clean();
    await other.clean();
  }
});
