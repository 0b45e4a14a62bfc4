import { readFile } from 'node:fs/promises';
import { hour, minute, second } from '../../shared/instant.ts';
import type { Store } from '../../shared/store/store.ts';
import type { Boxes } from './boxes.ts';
import type { Disk } from './disk.ts';
import type { Hosts } from './hosts.ts';
import { fair, type Weather } from './proxy.ts';
import { between, pick } from './random.ts';

export interface World {
  weather: Weather;
  /** Not through the proxy. */
  store: Store;
  marks: string;
  /** Attempts whose shim was killed: `RUN ATTEMPT`. */
  killed: Set<string>;
  random: () => number;
  hosts: Hosts;
  disk: Disk;
  /** Whether the store is a service that requests go to: their weather is ours. */
  remote: boolean;
  /** Undefined: jobs are plain processes. */
  boxes: Boxes | undefined;
}

export interface Fault {
  name: string;
  act(world: World): Promise<void>;
}

/** What fails whatever runs jobs; one is picked every few seconds, and several go on at once. */
const common: Fault[] = [
  fault('host killed', ({ hosts, random }) =>
    hosts.crash(pick(random, hosts.names), between(random, 500, 30 * second)),
  ),
  fault('host killed, briefly', ({ hosts, random }) => hosts.crash(pick(random, hosts.names), 200)),
  fault('host held', ({ hosts, random }) =>
    hosts.hold(pick(random, hosts.names), random() < 0.1 ? 10 * minute : between(random, second, 2 * minute)),
  ),
  fault('clock wrong', ({ hosts, random }) => {
    return hosts.misdate(pick(random, hosts.names), pick(random, [-hour, hour]), between(random, second, 60 * second));
  }),
  fault('every host killed at once', async ({ hosts, random }) => {
    const away = between(random, 200, 5 * second);
    await Promise.all(hosts.names.map((name) => hosts.crash(name, away)));
  }),
  fault('disk full', async ({ disk, random }) => {
    await disk.fill();
    await wait(between(random, second, 15 * second));
    await disk.empty();
  }),
];

const ofService: Fault[] = [
  fault('storage away', (world) => spell(world, { away: true }, 1, 45)),
  fault('storage silent', (world) => spell(world, { silent: 0.05 }, 5, 30)),
  fault('storage refuses', (world) => spell(world, { refuse: 0.2 }, 5, 30)),
  fault('answers lost', (world) => spell(world, { lose: 0.15 }, 5, 30)),
  fault('requests repeated', (world) => spell(world, { repeat: 0.3 }, 5, 30)),
  fault('storage slow', (world) => spell(world, { delay: 0.5, delayMs: 3 * second }, 5, 30)),
  fault('messages doubled', doubleMessages),
];

const ofProcesses: Fault[] = [
  fault('job killed', (world) => strike(world, 'job')),
  fault('shim killed', (world) => strike(world, 'shim')),
];

const ofContainers: Fault[] = [
  fault('container killed', (world) => strikeBox(world, 'box')),
  fault('job in a container killed', (world) => strikeBox(world, 'job')),
  fault('Docker restarted', (world) => restartDocker(world)),
];

export function faultsOf({ boxes, remote }: World): Fault[] {
  return [...common, ...(remote ? ofService : []), ...(boxes ? ofContainers : ofProcesses)];
}

function fault(name: string, act: Fault['act']): Fault {
  return { name, act };
}

/** Bad weather for some seconds; what blows last wins, and fair weather comes back after it. */
async function spell(world: World, kind: Partial<Weather>, fromSeconds: number, toSeconds: number): Promise<void> {
  const weather = { ...fair, ...kind };
  world.weather = weather;
  await wait(between(world.random, fromSeconds, toSeconds) * second);
  if (world.weather === weather) world.weather = fair;
}

/** Kills a job that runs right now, or the shim above it. */
async function strike({ marks, killed, random }: World, whom: 'job' | 'shim'): Promise<void> {
  const lines = (await readFile(marks, 'utf8').catch(() => '')).trim().split('\n').slice(-400);
  const over = new Set(lines.filter((line) => line.startsWith('end ')).map((line) => line.slice(4)));
  const alive = lines.filter((line) => line.startsWith('begin ') && !over.has(line.slice(6)));
  for (const line of alive.sort(() => random() - 0.5)) {
    const [, run, attempt, pid] = line.split(' ');
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!command.includes('main.py')) continue;
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (whom === 'shim') killed.add(`${run} ${attempt}`);
    process.kill(whom === 'shim' ? parent : Number(pid), 'SIGKILL');
    return;
  }
}

/** Kills a container that runs right now from outside, or the job in it. */
async function strikeBox({ boxes, killed, random }: World, whom: 'box' | 'job'): Promise<void> {
  const running = (await boxes?.running()) ?? [];
  if (running.length === 0) return;
  const { mark, box } = pick(random, running);
  if (whom === 'box') {
    killed.add(mark);
    await box.kill({ signal: 'SIGKILL' });
    return;
  }
  const { Titles, Processes } = (await box.top()) as { Titles: string[]; Processes: string[][] };
  const job = Processes.find((one) => one[Titles.indexOf('CMD')]?.includes('main.py'));
  if (job) process.kill(Number(job[Titles.indexOf('PID')]), 'SIGKILL');
}

let restarting = false;

/** Containers do not outlive their daemon: what they were about to deliver may be lost. */
async function restartDocker({ boxes, killed, marks, random }: World): Promise<void> {
  if (!boxes || restarting) return;
  restarting = true;
  try {
    await noteRunning(marks, killed);
    const back = boxes.restart(pick(random, ['SIGKILL', 'SIGTERM']), between(random, 200, 10 * second));
    await wait(100);
    await noteRunning(marks, killed);
    await back;
    await noteRunning(marks, killed);
  } finally {
    restarting = false;
  }
}

async function noteRunning(marks: string, killed: Set<string>): Promise<void> {
  const lines = (await readFile(marks, 'utf8').catch(() => '')).trim().split('\n').slice(-40);
  for (const line of lines) killed.add(line.split(' ').slice(1, 3).join(' '));
}

async function doubleMessages({ store }: World): Promise<void> {
  let sent = 0;
  for await (const { value } of store.active.all()) {
    const now = Date.now();
    for (const attempt of [1, 2]) await store.launches.put({ job: value.job, run: value.run, attempt }, now, now);
    if (++sent === 20) return;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
