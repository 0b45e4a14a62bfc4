import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { minute, second } from '../../shared/instant.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { isFinal, type Run } from '../../shared/run/run.ts';
import { slotsBetween } from '../../shared/schedule/schedule.ts';
import { seven } from '../support/pipeline/cast.ts';
import { type HostOptions, openHost } from '../support/pipeline/host.ts';
import { numbers } from '../support/pipeline/random.ts';
import { python } from '../support/shim/python.ts';
import { shim } from '../support/shim/shim.ts';
import { freshAccount } from '../support/storage/account.ts';

/** Real time that hosts are killed for, at least, and how often; 40 times as much passes for the jobs. */
const storm = 10 * second;
const fewest = 5;
const speed = 40;

const code = `import os, sys, time
line = f"{os.environ['JOB_RUN_ID']}#{os.environ['JOB_ATTEMPT']}\\n"
marks = os.open(os.environ['MARKS'], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(marks, line.encode())
time.sleep(float(os.environ['TAKES']))
`;
const kinds = {
  often: ['{ cron: "* * * * *", timeZone: UTC, catchUp: all }', 'overlap: forbid', '0.2'],
  patient: ['{ cron: "* * * * *", timeZone: Europe/London, catchUp: all }', 'overlap: queue', '1.2'],
  many: ['{ cron: "* * * * *", timeZone: UTC, catchUp: all }', 'overlap: allow, concurrency: 3', '2'],
};

async function writeJobs(root: string): Promise<void> {
  for (const [name, [schedule, overlap, takes]] of Object.entries(kinds)) {
    await mkdir(join(root, 'jobs', name), { recursive: true });
    await writeFile(join(root, 'jobs', name, 'main.py'), code);
    await writeFile(join(root, 'jobs', name, 'README.md'), '# Marks\n');
    const manifest = `description: Marks that it ran.
owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
schedule: ${schedule}
run: { command: [python, main.py], ${overlap} }
retry: { attempts: 2, delay: 1s }
env: { MARKS: ${join(root, 'marks')}, TAKES: "${takes}" }
`;
    await writeFile(join(root, 'jobs', name, 'job.yaml'), manifest);
  }
}

test('two hosts that are killed at random over one store leave one row a slot, and no attempt runs twice', async () => {
  const root = await mkdtemp(join(tmpdir(), 'two-hosts-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await writeJobs(root);
  const options: HostOptions = {
    name: 'last',
    connection: freshAccount(),
    jobs: join(root, 'jobs'),
    python: python(),
    shim,
    shimLog: join(root, 'shim.log'),
    zero: seven,
    began: Date.now(),
    speed,
  };
  const last = await openHost(options);
  await last.parts.store.prepare();
  await register(last.parts, last.parts.catalog(), last.now());
  await last.work.tick(last.now());
  const from = last.now();

  const random = numbers(20261120);
  let kills = 0;
  const live = async (name: string) => {
    while (Date.now() < options.began + storm || kills < fewest) {
      const host = await startHost({ ...options, name });
      await sleep(200 + random() * 2_000);
      host.kill('SIGKILL');
      await once(host, 'close');
      kills += 1;
    }
  };
  await Promise.all([live('one'), live('two')]);

  // One healthy host; once it has claimed all until now, no more slots come.
  await last.step();
  const until = (await last.parts.store.marks.get('cursor')) ?? 0;
  for (const { job } of last.parts.catalog().values()) job.status = 'decommissioned';
  while ((await activeRuns(last.parts.store)) > 0) {
    await last.step();
    await sleep(100);
  }
  await last.idle();

  const began = new Set<string>();
  for (const { job } of last.parts.catalog().values()) {
    const [schedule] = job.schedules;
    const expected = schedule ? slotsBetween(schedule.schedule, from, until) : [];
    expect(expected.length).toBeGreaterThan((storm * speed) / minute / 2);
    const runs: Run[] = [];
    for await (const { value } of last.parts.store.runs.list(job.name)) runs.unshift(value);
    expect(runs.filter(({ slot }) => slot > from).map(({ slot }) => slot)).toEqual(expected);
    expect(runs.filter(({ state }) => !isFinal(state))).toEqual([]);
    for (const { id, attempts } of runs) for (const { number } of attempts) began.add(`${job.name}.${id}#${number}`);
    expect((await last.parts.store.jobs.get(job.name))?.value.running).toEqual([]);
  }
  const marks = (await readFile(join(root, 'marks'), 'utf8')).trimEnd().split('\n');
  expect(marks.filter((mark, index) => marks.indexOf(mark) !== index)).toEqual([]);
  expect(marks.filter((mark) => !began.has(mark))).toEqual([]);
  expect(marks.length).toBeGreaterThan(10);
  expect(kills).toBeGreaterThanOrEqual(fewest);
}, 120_000);

async function startHost(options: HostOptions): Promise<ChildProcess> {
  const host = spawn(process.execPath, [join(import.meta.dirname, '../support/pipeline/host.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  host.stdin.end(JSON.stringify(options));
  await once(host.stdout, 'data');
  return host;
}

async function activeRuns(store: HostStore): Promise<number> {
  let count = 0;
  for await (const _ of store.active.all()) count += 1;
  return count;
}
type HostStore = Awaited<ReturnType<typeof openHost>>['parts']['store'];
