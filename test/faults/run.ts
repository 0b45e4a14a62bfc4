import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findHome } from '../../cli/home.ts';
import { startStore } from '../../cli/host/azurite.ts';
import { openConnection, openFolder } from '../../cli/host/store.ts';
import { type Instant, iso, minute, second } from '../../shared/instant.ts';
import { parseRunId } from '../../shared/run/run.ts';
import { Boxes, image, marksInside } from './boxes.ts';
import { check, type Verdict } from './checker.ts';
import { Disk } from './disk.ts';
import { faultsOf, type World } from './faults.ts';
import { Hosts } from './hosts.ts';
import { makeJobs } from './jobs.ts';
import { fair, proxy, type StorageProxy } from './proxy.ts';
import { between, pick, randomFrom } from './random.ts';

/**
 * Runs two real hosts over one store while everything fails, then looks whether each slot ran exactly once.
 *
 *   node test/faults/run.ts [--minutes 30] [--jobs 80] [--seed 1] [--keep] [--executor docker] [--store azurite]
 *
 * With Docker it starts a daemon of its own, which needs root.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    jobs: { type: 'string' },
    executor: { type: 'string', default: 'process' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    keep: { type: 'boolean', default: false },
    store: { type: 'string', default: 'embedded' },
  },
});
const seed = Number(values.seed);
const random = randomFrom(seed);
const folder = await mkdtemp(join(tmpdir(), 'lamp-faults-'));
const marks = join(folder, 'marks');
const boxes = values.executor === 'docker' ? await Boxes.open() : undefined;
const count = Number(values.jobs ?? (boxes ? 6 : 80));
const jobs = await makeJobs(folder, count, boxes ? { socket: marksInside } : { file: marks });
const azurite = values.store === 'azurite' ? await startStore(join(folder, '.lamplighter')) : undefined;
const opened = await (azurite ? openConnection(azurite.connection) : openFolder(findHome(folder)));
const { store } = opened;
await store.prepare();
const disk = await Disk.mount(join(folder, 'tmp'));
await boxes?.takeMarks(folder, disk.folder, marks);

const world: World = {
  weather: fair,
  store,
  marks,
  killed: new Set(),
  random,
  hosts: new Hosts(),
  disk,
  boxes,
  remote: azurite !== undefined,
};
// Hosts without a connection open the files of the folder.
const { connection, proxies } = await throughProxies(azurite?.connection ?? '');
console.log(`seed ${seed} · ${count} jobs every minute for ${values.minutes} minutes · ${folder}`);

let verdict: Verdict | undefined;
try {
  const env = { TMPDIR: disk.folder, ...(boxes && { DOCKER_HOST: `unix://${boxes.socket}` }) };
  for (const name of ['a', 'b']) world.hosts.add(name, folder, connection, env, boxes && image);
  await firstTick();
  const from = Date.now() + minute;
  const until = from + Number(values.minutes) * minute;
  const done: Record<string, number> = {};
  while (Date.now() < until) {
    await sleep(between(random, 2_000, 9_000));
    const fault = pick(random, faultsOf(world));
    done[fault.name] = (done[fault.name] ?? 0) + 1;
    fault.act(world).catch((error) => console.log(`${fault.name}: ${error}`));
  }
  await calm(world);
  await quiet(until);
  verdict = await check(store, jobs, from, until, marks, world.killed);
  report(verdict, done);
  if (boxes) console.log(`containers left ${JSON.stringify(await boxes.all())}`);
} finally {
  world.hosts.kill();
  for (const one of proxies) one.close();
  await azurite?.stop();
  await boxes?.close();
  await disk.unmount();
  if (values.keep || !verdict || !clean(verdict)) console.log(`kept: ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
process.exit(verdict && clean(verdict) ? 0 : 1);

async function throughProxies(direct: string): Promise<{ connection: string; proxies: StorageProxy[] }> {
  const made: StorageProxy[] = [];
  let through = direct;
  for (const [whole, port] of direct.matchAll(/127\.0\.0\.1:(\d+)/g)) {
    const one = await proxy(Number(port), () => world.weather, random);
    made.push(one);
    through = through.replace(whole, `127.0.0.1:${one.port}`);
  }
  return { connection: through, proxies: made };
}

/** Slots count from when the service has said that it knows the jobs. */
async function firstTick(): Promise<void> {
  const patience = Date.now() + minute;
  while ((await store.marks.get('heartbeat')) === undefined) {
    if (Date.now() > patience) throw new Error(`no host ticks: see ${folder}/host-a.log`);
    await sleep(100);
  }
}

async function calm(of: World): Promise<void> {
  of.weather = fair;
  await of.disk.empty();
  of.hosts.fix();
  await of.boxes?.back();
}

/** Waits until nothing of the time that counts is active, or for this long that what is left is stuck. */
async function quiet(until: Instant): Promise<void> {
  const patience = Date.now() + 15 * minute;
  for (;;) {
    let left = 0;
    for await (const { value } of store.active.all()) if ((parseRunId(value.run)?.slot ?? 0) <= until) left += 1;
    if (left === 0 || Date.now() > patience) return;
    console.log(`${iso(Date.now())} waiting for ${left} runs`);
    await sleep(10 * second);
  }
}

function clean({ missed, duplicate, extra, lostResults, stuck }: Verdict): boolean {
  return [missed, duplicate, extra, lostResults, stuck].every(({ length }) => length === 0);
}

function report(found: Verdict, done: Record<string, number>): void {
  const injected: Record<string, number> = {};
  for (const { counts } of proxies) {
    for (const [kind, count] of Object.entries(counts)) injected[kind] = (injected[kind] ?? 0) + count;
  }
  console.log(`faults ${JSON.stringify(done)}`);
  console.log(`requests hurt ${JSON.stringify(injected)}`);
  const { slots, succeeded, attempts, failed, ...wrong } = found;
  console.log(`slots ${slots} · succeeded ${succeeded} · failed honestly ${failed} · attempts that began ${attempts}`);
  for (const [kind, list] of Object.entries(wrong)) {
    console.log(`${kind} ${list.length}`);
    for (const line of list.slice(0, 20)) console.log(`  ${line}`);
  }
}
