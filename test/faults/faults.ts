import { day, hour, minute, second } from '../../shared/instant.ts';
import type { Group } from './options.ts';
import { fair, type Weather } from './proxy.ts';
import { between, pick } from './random.ts';
import { restartDocker, strike, strikeBox } from './strikes.ts';
import type { Switch } from './switches.ts';
import { type World, wait } from './world.ts';

export interface Fault {
  group: Group;
  name: string;
  act(world: World): Promise<void>;
}

/** What fails whatever runs jobs; one is picked every few seconds, and several go on at once. */
const common: Fault[] = [
  fault('crash', 'host killed', (world) => world.hosts.crash(someHost(world), length(world, 500, 30 * second))),
  fault('crash', 'host killed, briefly', (world) => world.hosts.crash(someHost(world), 200)),
  fault('crash', 'every host killed at once', async (world) => {
    const away = length(world, 200, 5 * second);
    await Promise.all(world.hosts.names.map((name) => world.hosts.crash(name, away)));
  }),
  fault('start', 'killed inside a start call', async (world) => {
    const name = someHost(world);
    world.switches.on(`start-${name}`);
    await world.hosts.afterDeath(name, minute, length(world, 200, 20 * second));
    world.switches.off(`start-${name}`);
  }),
  fault('hold', 'host held', (world) => {
    const long = world.random() < 0.1 && world.pace === 1;
    return world.hosts.hold(someHost(world), long ? 10 * minute : length(world, second, 2 * minute));
  }),
  fault('clock', 'clock wrong', (world) => {
    const by = pick(world.random, [-365 * day, -day, -hour, hour, day, 365 * day]);
    return world.hosts.misdate(someHost(world), by, length(world, second, 60 * second));
  }),
  fault('disk', 'disk full', async (world) => {
    await world.disk.fill();
    await wait(world, length(world, second, 15 * second));
    await world.disk.empty();
  }),
  fault('platform', 'platform unavailable', (world) => outage(world, 'platform')),
  fault('platform', 'vault unavailable', (world) => outage(world, 'vault')),
];

const ofService: Fault[] = [
  fault('storage', 'storage away', (world) => spell(world, { away: true }, 1, 45)),
  fault('storage', 'storage silent', (world) => spell(world, { silent: 0.05 }, 5, 30)),
  fault('storage', 'storage refuses', (world) => spell(world, { refuse: 0.2 }, 5, 30)),
  fault('storage', 'answers lost', (world) => spell(world, { lose: 0.15 }, 5, 30)),
  fault('storage', 'requests repeated', (world) => spell(world, { repeat: 0.3 }, 5, 30)),
  fault('storage', 'storage slow', (world) => spell(world, { delay: 0.5, delayMs: 3 * second }, 5, 30)),
  fault('messages', 'messages doubled', doubleMessages),
];

const ofProcesses: Fault[] = [
  fault('kill', 'job killed', (world) => strike(world, 'job')),
  fault('kill', 'shim killed', (world) => strike(world, 'shim')),
];

const ofContainers: Fault[] = [
  fault('kill', 'container killed', (world) => strikeBox(world, 'box')),
  fault('kill', 'job in a container killed', (world) => strikeBox(world, 'job')),
  fault('kill', 'Docker restarted', (world) => restartDocker(world, 10 * second)),
  fault('platform', 'Docker away for minutes', (world) => restartDocker(world, 4 * minute)),
];

export function faultsOf({ boxes, options }: World): Fault[] {
  const ofStore = options.store === 'azurite' ? ofService : [];
  return [...common, ...ofStore, ...(boxes ? ofContainers : ofProcesses)].filter(({ group }) =>
    options.only.has(group),
  );
}

function fault(group: Group, name: string, act: Fault['act']): Fault {
  return { group, name, act };
}

function someHost({ hosts, random }: World): string {
  return pick(random, hosts.names);
}

function length({ random, pace }: World, from: number, to: number): number {
  return between(random, from * pace, to * pace);
}

/** Bad weather for some seconds; what blows last wins, and fair weather comes back after it. */
async function spell(world: World, kind: Partial<Weather>, fromSeconds: number, toSeconds: number): Promise<void> {
  const weather = { ...fair, ...kind };
  world.weather = weather;
  await wait(world, length(world, fromSeconds * second, toSeconds * second));
  if (world.weather === weather) world.weather = fair;
}

const out = new Set<Switch>();

/** Minutes, as a bad day has them; one at a time, or there would be no service at all. */
async function outage(world: World, what: 'platform' | 'vault'): Promise<void> {
  if (out.has(what)) return;
  out.add(what);
  world.switches.on(what);
  await wait(world, length(world, 20 * second, 4 * minute));
  world.switches.off(what);
  // Then it works for a while.
  await wait(world, length(world, 2 * minute, 4 * minute));
  out.delete(what);
}

async function doubleMessages({ store }: World): Promise<void> {
  let sent = 0;
  for await (const { value } of store.active.all()) {
    const now = Date.now();
    for (const attempt of [1, 2]) await store.launches.put({ job: value.job, run: value.run, attempt }, now, now);
    if (++sent === 20) return;
  }
}

/** One host after the other ends and is started again every three minutes, as platforms do. */
export async function restarts(world: World): Promise<void> {
  for (let turn = 0; !world.over; turn++) {
    await wait(world, 3 * minute * world.pace);
    const { names } = world.hosts;
    if (!world.over) await world.hosts.restart(names[turn % names.length] ?? '');
  }
}
