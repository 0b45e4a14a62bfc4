import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findHome } from '../../cli/home.ts';
import { startStore } from '../../cli/host/azurite.ts';
import { openConnection, openFolder } from '../../cli/host/store.ts';
import { minute } from '../../shared/instant.ts';
import { Boxes, image, marksInside } from './boxes.ts';
import { check } from './checker.ts';
import { Disk } from './disk.ts';
import { everyMinute } from './expectation.ts';
import { faultsOf, restarts } from './faults.ts';
import { Hosts } from './hosts.ts';
import { ordinaryJobs } from './jobs.ts';
import { commandOf, readOptions } from './options.ts';
import { makePackages, roll, rolledExpectations } from './packages.ts';
import { type Poison, poison, poisonExpectations, poisonedJobs } from './poison.ts';
import { fair, throughProxies } from './proxy.ts';
import { between, pick, randomFrom } from './random.ts';
import { calm, endLeftovers, firstTick, knownBefore, quiet, settled } from './stages.ts';
import { Switches } from './switches.ts';
import { isClean, reportOf, type Verdict } from './verdict.ts';
import type { World } from './world.ts';

/**
 * Runs real hosts over one store while everything fails, then looks whether each slot ran exactly once.
 *
 *   node test/faults/run.ts [--minutes 30] [--jobs 80] [--hosts 2] [--limit 5] [--seed 1] [--only crash,storage]
 *                           [--lookback 0] [--every 8] [--patience 900] [--executor docker] [--store embedded]
 *                           [--keep]
 *
 * With Docker it starts a daemon of its own, which needs root.
 */
const options = readOptions();
const { only, seed, limit } = options;
const random = randomFrom(seed);
const folder = await mkdtemp(join(tmpdir(), 'lamp-faults-'));
const marks = join(folder, 'marks');
const boxes = options.executor === 'docker' ? await Boxes.open() : undefined;
const ordinary = ordinaryJobs(options.jobs);
const poisoning = only.has('poison');
// Containers are known by the folder that their host was started in.
const rolling = only.has('rolling') && !boxes;
const jobs = poisoning ? [...ordinary, ...poisonedJobs] : ordinary;
const packages = await makePackages(folder, jobs, rolling, boxes ? { socket: marksInside } : { file: marks });
const azurite = options.store === 'azurite' ? await startStore(join(folder, '.lamplighter')) : undefined;
const opened = await (azurite ? openConnection(azurite.connection) : openFolder(findHome(packages.old)));
const { store } = opened;
await store.prepare();
const disk = await Disk.mount(join(folder, 'tmp'));
const marksSocket = join(folder, 'marks.sock');
await boxes?.takeMarks(marksSocket, marks);

const poisoned = new Set<string>();
const { connection, proxies } = await throughProxies(azurite?.connection ?? '', () => world.weather, random, poisoned);
const env = {
  TMPDIR: disk.folder,
  LAMPLIGHTER_SECRET_FAULT_KEY: 'key-of-the-fault-harness',
  ...(boxes && { DOCKER_HOST: `unix://${boxes.socket}` }),
};
const world: World = {
  options,
  folder,
  weather: fair,
  poisoned,
  store,
  opened,
  marks,
  killed: new Set(),
  deaths: new Map(),
  random,
  hosts: new Hosts(folder, env),
  switches: new Switches(join(folder, 'switches')),
  disk,
  boxes,
  pace: Math.min(1, Math.max(0.1, options.minutes / 10)),
  over: false,
};
console.log(`${commandOf(options)} · ${folder}`);

let verdict: Verdict | undefined;
try {
  await knownBefore(world, packages);
  for (let number = 0; number < options.hosts; number++) {
    world.hosts.add({
      name: String.fromCharCode(97 + number),
      home: packages.old,
      connection,
      switches: world.switches.folder,
      losesNudges: only.has('nudges') ? 0.05 : 0,
      ...(rolling && { made: packages.made.old }),
      ...(limit !== undefined && { limit }),
      ...(boxes && { image, marksSocket }),
    });
  }
  await firstTick(world);
  const lengthMs = options.minutes * minute;
  const from = options.lookback > 0 ? Date.now() - options.lookback * minute : Date.now() + minute;
  const until = (options.lookback > 0 ? Date.now() : from) + lengthMs;
  const done: Record<string, number> = {};
  const when: Poison = {};
  const courses = [
    ...(poisoning ? [poison(world, rolling ? [packages.old, packages.new] : [packages.old], lengthMs, when)] : []),
    ...(rolling ? [roll(world, packages, lengthMs)] : []),
    ...(only.has('restart') ? [restarts(world)] : []),
  ];
  for (const course of courses) course.catch((error) => console.log(`${error.stack}`));
  const faults = faultsOf(world);
  while (Date.now() < until) {
    await sleep(Math.min(between(random, 400, 1_600) * options.every, until - Date.now()));
    if (faults.length === 0) continue;
    const fault = pick(random, faults);
    done[fault.name] = (done[fault.name] ?? 0) + 1;
    fault.act(world).catch((error) => console.log(`${fault.name}: ${error}`));
  }
  await calm(world, courses);
  console.log(`all over after ${await quiet(world, until)} s without faults`);
  const expected = new Map([
    ...ordinary.map(({ name }) => [name, everyMinute] as const),
    ...(poisoning ? poisonExpectations(when) : []),
    ...(rolling ? await rolledExpectations(world, packages) : []),
  ]);
  const { killed, deaths } = world;
  // All that is repaired is repaired within minutes.
  const hurried = options.patience < 600;
  const course = { store, jobs: expected, from, to: until, marks, killed, deaths, limit, hurried };
  verdict = await settled(() => check({ ...course, now: Date.now() }));
  const hurt: Record<string, number> = {};
  for (const { counts } of proxies) {
    for (const [kind, count] of Object.entries(counts)) hurt[kind] = (hurt[kind] ?? 0) + count;
  }
  console.log(reportOf(verdict, options, done, hurt));
  if (boxes) console.log(`containers left ${JSON.stringify(await boxes.all())}`);
} finally {
  world.over = true;
  world.hosts.kill();
  await endLeftovers(world);
  for (const one of proxies) one.close();
  opened.close();
  await azurite?.stop();
  await boxes?.close();
  await disk.unmount();
  if (options.keep || !verdict || !isClean(verdict)) console.log(`kept: ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
process.exit(verdict && isClean(verdict) ? 0 : 1);
