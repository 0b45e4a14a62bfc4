import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { report } from '../../shared/alerts/report.ts';
import { day, hour } from '../../shared/instant.ts';
import { seeDrift } from '../../shared/pipeline/drift.ts';
import { incidentPicture } from '../../shared/pipeline/finding-picture.ts';
import type { MetricValue } from '../../shared/run/attempt.ts';
import { newRun, type Run, type Versions } from '../../shared/run/run.ts';
import { Mailbox } from '../support/alerts/world.ts';
import { series } from '../support/drift/families.ts';
import { job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';
import { zip } from '../support/shim/shim.ts';

const schedule = '{ cron: "0 7 * * *", timeZone: Europe/London }';
const noise = (n: number, seed: string) => series('normal', seed, n).values as number[];
const before = 40;
const values = [...noise(before, 'before'), ...noise(12, 'after').map((value) => value + 0.08)];

interface Files {
  'main.py'?: string;
  'job.yaml'?: string;
  'uv.lock'?: string;
  'pyproject.toml'?: string;
}

const files = {
  'main.py': 'print(1)',
  'job.yaml': 'description: Scores\nschedule: "0 7 * * *"\n',
  'uv.lock': locked('1.4.2'),
  'pyproject.toml': 'dependencies = ["scikit-learn==1.4.2"]',
};

function locked(version: string): string {
  return `version = 1\n\n[[package]]\nname = "scikit-learn"\nversion = "${version}"\n`;
}

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

/** The bundle of these files, kept where the pipeline finds it. */
async function bundled(world: World, commit: string, more: Files = {}): Promise<Versions> {
  const all = { ...files, ...more };
  const bytes = await zip(all);
  const bundle = sha256(bytes);
  await world.store.bundles.put(bundle, bytes);
  return { bundle, commit, lock: sha256(all['uv.lock']), image: 'i', python: '3.12', secrets: {} };
}

async function pass(
  world: World,
  versions: readonly [Versions, Versions],
  more: Record<string, MetricValue> = {},
  name = 'score',
) {
  for (const [i, value] of values.entries()) {
    const slot = seven + i * day;
    const run: Run = {
      ...newRun(name, slot, 'schedule', slot),
      state: 'succeeded',
      versions: versions[i < before ? 0 : 1],
      startedAt: slot,
      endedAt: slot + 1_000,
      metrics: { mean_score: value, ...more },
    };
    await world.store.runs.insert(run);
    await world.store.metrics.append(run, new Map(Object.entries(run.metrics)));
    await seeDrift(world.parts, [run], slot + 1_000, async () => undefined);
  }
  const [finding] = await world.store.drift.findings(name, 1);
  return finding;
}

test('a package that was raised is named with both versions, and not the code that stayed as it was', async () => {
  const world = await World.inMemory(job('score', { schedule }));
  const raised = { 'uv.lock': locked('1.5.0'), 'pyproject.toml': 'dependencies = ["scikit-learn==1.5.0"]' };
  const finding = await pass(world, [await bundled(world, 'c1'), await bundled(world, 'c2', raised)]);
  expect(finding?.sentence).toContain('the package scikit-learn changed from 1.4.2 to 1.5.0');
  expect(finding?.attribution?.candidates.map(({ change }) => change?.kind)).toEqual(['package', undefined]);
});

test('a job.yaml that says something else is named, and one that was only written otherwise is not', async () => {
  const world = await World.inMemory(job('score', { schedule }));
  const other = { 'job.yaml': `${files['job.yaml']}env: { THRESHOLD: "0.4" }\n` };
  const finding = await pass(world, [await bundled(world, 'c1'), await bundled(world, 'c2', other)]);
  expect(finding?.sentence).toContain('job.yaml changed');
  expect(finding?.attribution?.candidates[0]?.change?.kind).toBe('manifest');

  const tidy = await World.inMemory(job('score', { schedule }));
  const same = { 'job.yaml': '# tidied\nschedule: "0 8 * * *"\ndescription: "Scores"\n', 'main.py': 'print(2)' };
  const second = await pass(tidy, [await bundled(tidy, 'c1'), await bundled(tidy, 'c2', same)]);
  expect(second?.attribution?.candidates.map(({ change }) => change?.kind)).toEqual(['code', undefined]);
});

test('a schedule that changed is named with the old one and the new one', async () => {
  const world = await World.inMemory(job('score', { schedule }));
  const at = seven + before * day - hour;
  const details = { from: '0 7 * * * Europe/London', to: '0 5 * * * Europe/London' };
  await world.store.events.append({ job: 'score', at, kind: 'schedule-changed', by: 'host', why: '', details });
  const same = await bundled(world, 'c1');
  const finding = await pass(world, [same, same]);
  expect(finding?.sentence).toContain('the schedule changed from 0 7 * * * Europe/London to 0 5 * * * Europe/London');
});

test('another job on the same model that drifted is named, and one on another model is not', async () => {
  const world = await World.inMemory(job('score', { schedule }), job('rank', { schedule }), job('sort', { schedule }));
  const same = await bundled(world, 'c1');
  await pass(world, [same, same], { model: { 'scorer-2': 10 } }, 'rank');
  await pass(world, [same, same], { model: { 'scorer-9': 10 } }, 'sort');
  const finding = await pass(world, [same, same], { model: { 'scorer-2': 120 } });
  const changes = finding?.attribution?.candidates.flatMap(({ change }) => change?.text ?? []);
  expect(changes).toEqual(['the job rank, which uses the same model scorer-2, is unusual since then too']);
});

test('two jobs that drift on the same model are one incident, and each names the other', async () => {
  const world = await World.inMemory(job('score', { schedule }), job('rank', { schedule }), job('sort', { schedule }));
  const same = await bundled(world, 'c1');
  await pass(world, [same, same], { model: { 'scorer-2': 10 } }, 'rank');
  await pass(world, [same, same], { model: { 'scorer-9': 10 } }, 'sort');
  const finding = await pass(world, [same, same], { model: { 'scorer-2': 120 } });
  expect(finding?.sentence).toContain(
    'The job rank, which uses the same model scorer-2, is unusual since then too: what they have in common may be the cause.',
  );
  const [rank] = await world.store.drift.findings('rank', 1);
  expect(rank?.sentence).toMatch(/ The job score, which uses the same model scorer-2, is unusual too\. What to do: /);
  const groups = await Promise.all(
    ['score', 'rank', 'sort'].map(async (name) => {
      const [one] = await world.store.drift.findings(name, 1);
      const about = { job: name, cause: 'drift', subject: one?.id ?? '' } as const;
      const incident = (await world.store.incidents.get(about))?.value;
      expect(incident?.text).toBe(one?.sentence);
      return incident?.group;
    }),
  );
  expect(groups[0]).toBe(groups[1]);
  expect(groups[2]).not.toBe(groups[0]);

  const now = seven + values.length * day;
  const box = new Mailbox(() => now);
  const titles: string[] = [];
  const put = world.store.outbox.put;
  world.store.outbox.put = async (letter) => {
    titles.push(JSON.parse(letter.message).title);
    return put(letter);
  };
  await report(world.parts, box.alerts, now);
  expect([...new Set(titles)].sort()).toEqual(['UNUSUAL 2 jobs', expect.stringMatching(/^UNUSUAL sort/)]);
});

test('two jobs that read the same file, or one the file of the other, belong together as well', async () => {
  const reads = 'inputs: [pull/prospects.csv]';
  const world = await World.inMemory(
    job('pull', { schedule, more: 'outputs: [prospects.csv]' }),
    job('score', { schedule, more: reads }),
    job('rank', { schedule, more: reads }),
    job('sort', { schedule }),
  );
  const same = await bundled(world, 'c1');
  for (const name of ['sort', 'pull', 'rank']) await pass(world, [same, same], {}, name);
  const finding = await pass(world, [same, same]);
  expect(finding?.alike?.map(({ job: name, what }) => `${name} ${what}`)).toEqual([
    'pull makes prospects.csv, which this job reads',
    'rank reads the same pull/prospects.csv',
  ]);
  const [pull] = await world.store.drift.findings('pull', 1);
  expect(pull?.alike?.map(({ job: name, what }) => `${name} ${what}`)).toEqual([
    'rank reads prospects.csv of it',
    'score reads prospects.csv of it',
  ]);
  const [sort] = await world.store.drift.findings('sort', 1);
  expect(sort?.alike).toBeUndefined();
});

test('bundles that are gone or broken leave the versions to speak, and the finding is kept', async () => {
  const world = await World.inMemory(job('score', { schedule }));
  const [first, second] = [await bundled(world, 'c1'), await bundled(world, 'c2', { 'main.py': 'print(2)' })];
  const get = world.store.bundles.get;
  world.store.bundles.get = async (digest) => (digest === second.bundle ? Buffer.from('no zip') : get(digest));
  const finding = await pass(world, [first, second]);
  expect(finding?.sentence).toContain('the code of the job changed from c1 to c2');
  expect(world.events.some(({ type }) => type === 'trouble')).toBe(true);
});

test('the message about drift carries its picture, and goes without one that cannot be drawn', async () => {
  const world = await World.inMemory(job('score', { schedule }));
  const [first, second] = [await bundled(world, 'c1'), await bundled(world, 'c2', { 'main.py': 'print(2)' })];
  await pass(world, [first, second]);
  const now = seven + values.length * day;
  const sent = async () => {
    const box = new Mailbox(() => now);
    const letters = new Map<string, string>();
    const put = world.store.outbox.put;
    world.store.outbox.put = async (letter) => {
      letters.set(letter.key, letter.message);
      return letter;
    };
    await report(world.parts, box.alerts, now, incidentPicture);
    world.store.outbox.put = put;
    return [...letters.values()].map((text) => ({ length: text.length, message: JSON.parse(text) }));
  };
  const incident = {
    job: 'score',
    cause: 'drift',
    subject: (await world.store.drift.findings('score', 1))[0]?.id ?? '',
  } as const;
  const before = await world.store.incidents.get(incident);
  const [{ message, length } = { message: {}, length: 0 }] = await sent();
  expect(message.picture).toMatch(/^<svg [\s\S]*the code of the job changed from c1 to c2[\s\S]*<\/svg>$/);
  expect(Buffer.from(message.image.png, 'base64').subarray(1, 4).toString()).toBe('PNG');
  expect(message.image.words).toMatch(/^mean score: usual 0\.\d+ to 0\.\d+, now 0\.7/);
  expect(length).toBeLessThan(32_000);

  const after = await world.store.incidents.get(incident);
  if (!before || !after) throw new Error('the incident is gone');
  await world.store.incidents.replace(before.value, after.etag);
  world.store.drift.states = async () => {
    throw new Error('the table is unavailable');
  };
  const [without] = await sent();
  expect(without?.message.title).toContain('score');
  expect(without?.message).not.toHaveProperty('picture');
  expect(without?.message).not.toHaveProperty('image');
});
