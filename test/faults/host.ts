import { readFileSync } from 'node:fs';
import { link, mkdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findHome } from '../../cli/home.ts';
import { composeLocal } from '../../cli/host/compose.ts';
import { readFolder } from '../../cli/host/folder.ts';
import { type Loop, loop } from '../../cli/host/loop.ts';
import { openConnection, openFolder } from '../../cli/host/store.ts';
import { eventText } from '../../shared/events.ts';
import type { Executor } from '../../shared/executors/executor.ts';
import type { Catalog } from '../../shared/job/catalog.ts';
import { problemText } from '../../shared/manifest/problem.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { unsteadyExecutor, unsteadyVault } from './outages.ts';
import { Switches } from './switches.ts';

export interface HostSettings {
  name: string;
  /** The folder that holds jobs/. */
  home: string;
  /** When that package was made; undefined: when it is read. */
  made?: number;
  /** Of a storage account; '': the folder's own store. */
  connection: string;
  /** A file with the ms by which this host's clock is wrong. */
  clock: string;
  switches: string;
  /** Jobs run in containers of it; undefined: as processes. */
  image?: string;
  /** Where those leave their marks. */
  marksSocket?: string;
  /** Attempts at once on all hosts. */
  limit?: number;
  /** Share of nudges that get lost. */
  losesNudges: number;
}

/** One host, as `lamp start` runs it, at a store that is given: node test/faults/host.ts SETTINGS, as JSON. */
async function main(settings: HostSettings): Promise<void> {
  const { name, home: folder, connection, image, marksSocket, limit } = settings;
  const clock = () => Date.now() + Number(readFileSync(settings.clock, 'utf8') || 0);
  const say = (line: string) => console.log(`${new Date().toISOString()} ${process.pid} ${line}`);
  const home = findHome(folder);
  const { catalog: read, problems } = await readFolder(home.jobs);
  if (problems.length > 0) throw new Error(problems.map(problemText).join('\n'));
  const catalog: Catalog =
    settings.made === undefined
      ? read
      : Object.assign(new Map(read), { package: { ...read.package, made: settings.made, read: Date.now() } });

  let running: Loop | undefined;
  const switches = new Switches(settings.switches);
  const composed = await composeLocal(home, {
    opened: connection === '' ? await openFolder(home) : await openConnection(connection),
    catalog: () => catalog,
    emit(event) {
      const line = eventText(event);
      if (line !== undefined) say(line);
    },
    ended: (attempt) => (Math.random() < settings.losesNudges ? undefined : running?.ended(attempt)),
    ...(image === undefined ? {} : { executor: 'docker', image }),
  });
  const parts = {
    ...composed,
    person: name,
    executor: unsteadyExecutor(marking(composed.executor, marksSocket), switches, name),
    vault: unsteadyVault(composed.vault, switches),
    ...(limit !== undefined && { limit }),
  };
  for (;;) {
    try {
      await parts.store.prepare();
      await register(parts, catalog, clock());
      break;
    } catch (error) {
      say(`not ready: ${error}`);
      await sleep(100);
    }
  }
  // Without an answer now it goes on trying.
  if (image !== undefined) await parts.docker.adopt().catch((error) => say(`containers: ${error.message}`));
  running = loop(parts, () => (image === undefined ? 8 : 4) - parts.executor.running(), clock);
  process.once('SIGTERM', async () => {
    await running?.stop();
    await parts.executor.idle();
    await running?.stop();
    process.exit(0);
  });
}

/** Puts the way for marks into the folder of the attempt, as that is all its container sees of this machine. */
function marking<E extends Executor>(executor: E, socket: string | undefined): E {
  if (socket === undefined) return executor;
  const start: Executor['start'] = async (spec) => {
    const place = fileURLToPath(new URL(basename(socket), spec.blobs.started));
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    await link(socket, place).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
    return executor.start(spec);
  };
  return new Proxy(executor, {
    get: (object, name) => (name === 'start' ? start : Reflect.get(object, name, object)),
  });
}

await main(JSON.parse(process.argv[2] ?? ''));
