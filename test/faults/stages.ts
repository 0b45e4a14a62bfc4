import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { findHome } from '../../cli/home.ts';
import { composeLocal } from '../../cli/host/compose.ts';
import { readFolder } from '../../cli/host/folder.ts';
import { type Instant, iso, minute, second } from '../../shared/instant.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { parseRunId } from '../../shared/run/run.ts';
import type { Packages } from './packages.ts';
import { fair } from './proxy.ts';
import { isClean, type Verdict } from './verdict.ts';
import type { World } from './world.ts';

/** What comes before and after the faults. */

/** With a lookback the service has known its jobs for that long, and was down until now. */
export async function knownBefore({ options, opened }: World, { old, made }: Packages): Promise<void> {
  if (options.lookback === 0) return;
  const then = Date.now() - options.lookback * minute;
  const home = findHome(old);
  const { catalog: read } = await readFolder(home.jobs);
  const catalog = Object.assign(new Map(read), { package: { made: Math.min(made.old, then), read: then } });
  const parts = await composeLocal(home, {
    opened,
    catalog: () => catalog,
    emit: () => {},
    ended: () => {},
    python: 'python3',
  });
  // It was that time then by the store's clock too.
  await register({ ...parts, store: { ...parts.store, time: async () => then } }, catalog, then);
  await parts.docker.close();
}

/** Slots count from when the service has said that it knows the jobs. */
export async function firstTick({ store, folder }: World): Promise<void> {
  const patience = Date.now() + 2 * minute;
  while ((await store.marks.get('heartbeat')) === undefined) {
    if (Date.now() > patience) throw new Error(`no host ticks: see ${folder}/host-a.log`);
    await sleep(100);
  }
}

/** Nothing fails any more. @param courses what goes on by itself, and ends soon after all is over */
export async function calm(world: World, courses: readonly Promise<void>[]): Promise<void> {
  world.over = true;
  world.weather = fair;
  world.poisoned.clear();
  world.switches.off('platform');
  world.switches.off('vault');
  for (const name of world.hosts.names) world.switches.off(`start-${name}`);
  await Promise.allSettled(courses);
  await world.disk.empty();
  world.hosts.fix();
  await world.boxes?.back();
}

/** Waits until nothing of the time that counts is active, or for as long as there is patience. @returns how long, s */
export async function quiet({ store, options }: World, until: Instant): Promise<number> {
  const began = Date.now();
  const patience = began + options.patience * second;
  for (let reported = Date.now(); ; ) {
    let left = 0;
    for await (const { value } of store.active.all()) if ((parseRunId(value.run)?.slot ?? 0) <= until) left += 1;
    if (left === 0 || Date.now() > patience) return Math.round((Date.now() - began) / second);
    if (Date.now() - reported > 10 * second) {
      console.log(`${iso(Date.now())} waiting for ${left} runs`);
      reported = Date.now();
    }
    await sleep(second);
  }
}

/** Looks until nothing is wrong any more: on a busy machine the ticks that repair come late. After that it stays wrong. */
export async function settled(look: () => Promise<Verdict>): Promise<Verdict> {
  for (const patience = Date.now() + 2 * minute; ; await sleep(second)) {
    const verdict = await look();
    if (isClean(verdict) || Date.now() > patience) return verdict;
  }
}

/** Shims whose store is gone would try to deliver for hours. They are ours by the folder for temporary files that they have. */
export async function endLeftovers({ disk }: World): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const variables = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!variables.split('\0').includes(`TMPDIR=${disk.folder}`)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}
