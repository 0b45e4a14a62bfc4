import type { Instant } from '../../../shared/instant.ts';
import type { Catalog } from '../../../shared/job/catalog.ts';
import type { Parts } from '../../../shared/parts.ts';
import type { World } from './parts.ts';

export const text = (at: Instant) => new Date(at).toISOString().slice(11, 16);
export const slots = async (world: World, name: string) => (await world.rows(name)).map(({ slot }) => text(slot));
export const troubles = (world: World) =>
  world.events.flatMap((event) => (event.type === 'trouble' ? [event.doing] : []));

/** A catalog as a package that was made and read then. */
export function packaged(catalog: Catalog, made: Instant, read: Instant = made): Catalog {
  return Object.assign(new Map(catalog), { package: { made, read } });
}

/** The parts of a host on which what is done for one job fails. */
export function poisoned(world: World, part: 'runs' | 'jobs' | 'active', name: string): Parts {
  const table = world.store[part] as unknown as Record<string, (...given: unknown[]) => unknown>;
  const spoiled = new Proxy(table, {
    get: (of, property) => (typeof of[String(property)] === 'function' ? call(of, String(property)) : undefined),
  });
  const call = (of: typeof table, method: string) => {
    return (...given: unknown[]) => {
      if (method === 'all') return without(of[method]?.(...given) as AsyncIterable<{ value: { name?: string } }>, name);
      const first = given[0];
      const jobs = Array.isArray(first) ? first.map((one) => one.job ?? one.name) : [first];
      const names = jobs.map((one) => (typeof one === 'object' ? (one?.job ?? one?.name) : one));
      if (!names.includes(name)) return of[method]?.(...given);
      // What is kept at hand cannot fail; this host has nothing of it.
      if (method === 'guess') return undefined;
      return Promise.reject(new Error(`${part}.${method} of ${name} fails`));
    };
  };
  return world.host({ store: { ...world.store, [part]: spoiled } as Parts['store'] });
}

/** A listing leaves out a row that cannot be read. */
async function* without<T extends { value: { name?: string } }>(rows: AsyncIterable<T>, name: string) {
  for await (const row of rows) if (row.value.name !== name) yield row;
}

export const hourlyAll = '{ cron: "0 * * * *", timeZone: UTC, catchUp: all }';
export const half = '{ cron: "30 * * * *", timeZone: UTC }';
