import { day, hour, type Instant, minute } from '../../../shared/instant.ts';
import type { Catalog } from '../../../shared/job/catalog.ts';
import type { Job } from '../../../shared/job/job.ts';
import { deployed } from './cast.ts';
import { packaged } from './claims.ts';
import { registerAt, type SimulatedHost, type Simulation, type Trouble } from './simulation.ts';

/** Troubles of the claim side, for simulations. */

/** One job whose rows cannot be written for a while, again and again. */
export function poison(name: string): Trouble {
  let until: Instant = 0;
  return ({ world, random, poisoned }) => {
    if (world.now >= until) poisoned.delete(name);
    if (random() < 0.01) {
      poisoned.add(name);
      until = world.now + random() * 40 * minute;
    }
  };
}

/** A host's clock steps by minutes to years, and is right again some minutes later. */
export const wrongClocks: Trouble = ({ hosts, random }) => {
  for (const host of hosts) {
    if (host.clockOff !== 0 && random() < 0.1) host.clockOff = 0;
    if (random() < 0.01) host.clockOff = [10 * minute, -hour, day, 365 * day][Math.floor(random() * 4)] ?? 0;
  }
};

/**
 * A new package now and then, which hosts get one after the other, up to a quarter of an hour apart: new code of each job,
 * and a job more from the second package on. A late process of the package before registers once more.
 * @param gone a job that the second package has not any more
 */
export function rolling(jobs: Job[], added: Job, gone: string): Trouble {
  const catalogs: Catalog[] = [];
  const wanted = new Map<SimulatedHost, { number: number; from: Instant }>();

  const make = (number: number, now: Instant): Catalog => {
    const names = number === 0 ? jobs : [...jobs.filter(({ name }) => name !== gone), added];
    return packaged(new Map(names.map((job) => [job.name, deployed(job, `v${number}`)])), now);
  };
  const adopt = async (sim: Simulation, host: SimulatedHost, number: number) => {
    const catalog = catalogs[number];
    if (!catalog) return;
    const from = { made: catalog.package?.made ?? 0, read: sim.world.now };
    host.catalog = Object.assign(new Map(catalog), { package: from });
    await registerAt(sim, host);
  };

  return async (sim) => {
    const { world, hosts, random } = sim;
    if (catalogs.length === 0) {
      catalogs.push(make(0, world.now));
      for (const host of hosts) await adopt(sim, host, 0);
    }
    if (random() < 0.012) {
      catalogs.push(make(catalogs.length, world.now));
      const number = catalogs.length - 1;
      for (const host of hosts) wanted.set(host, { number, from: world.now + random() * 15 * minute });
      world.jobs.delete(gone);
      for (const [name, one] of catalogs[number] ?? []) world.jobs.set(name, one);
    }
    for (const [host, { number, from }] of wanted) {
      if (world.now < from || host.held || world.now < host.deadUntil) continue;
      wanted.delete(host);
      await adopt(sim, host, number);
    }
    const late = hosts.find(() => random() < 0.005);
    if (late?.catalog && world.now >= late.deadUntil) await registerAt(sim, late);
  };
}
