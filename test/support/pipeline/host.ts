import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFolder } from '../../../cli/host/folder.ts';
import { nudges } from '../../../shared/executors/nudge.ts';
import { processExecutor } from '../../../shared/executors/process/process.ts';
import { type Instant, second } from '../../../shared/instant.ts';
import type { Parts } from '../../../shared/parts.ts';
import { register } from '../../../shared/pipeline/deployments.ts';
import { type Pipeline, pipeline } from '../../../shared/pipeline.ts';
import { openStore } from '../../../shared/store/azure/store.ts';

export interface HostOptions {
  name: string;
  connection: string;
  jobs: string;
  python: string;
  shim: string;
  shimLog: string;
  /** All hosts have one clock: `zero` at the real instant `began`, and from then on `speed` times as fast. */
  zero: Instant;
  began: Instant;
  speed: number;
}

export interface Host {
  parts: Parts;
  work: Pipeline;
  now(): Instant;
  /** Ticks and empties the launch queue once; what fails is left to others. */
  step(): Promise<void>;
  /** Resolves when no shim of this host is left. */
  idle(): Promise<void>;
}

/** Real storage, real processes, a clock that runs faster than real time, on which storage agrees. */
export async function openHost(options: HostOptions): Promise<Host> {
  const { name, connection, zero, began, speed } = options;
  const virtual = (real: Instant) => zero + (real - began) * speed;
  const now = () => Math.round(virtual(Date.now()));
  const store = openStore(connection);
  const { launches, attempts } = store;
  const seen = (real: Instant | undefined) => real && virtual(real);
  const finishing = new Set<Promise<void>>();
  const executor = processExecutor({
    ...options,
    ended(id) {
      const finish = work.finish(id, now()).catch(() => {});
      finishing.add(finish);
      void finish.then(() => finishing.delete(finish));
    },
  });
  const { catalog } = await readFolder(options.jobs);
  const parts: Parts = {
    store: {
      ...store,
      time: async () => now(),
      launches: {
        ...launches,
        put: (message, at, from) => launches.put(message, from + (at - from) / speed, from),
      },
      attempts: {
        ...attempts,
        begun: async (id) => seen(await attempts.begun(id)),
        lastHeartbeat: async (id) => seen(await attempts.lastHeartbeat(id)),
        urls: (id, outputs) => attempts.urls(id, outputs, Date.now() + 3_600 * second),
      },
      bundles: { ...store.bundles, url: (digest) => store.bundles.url(digest, Date.now() + 3_600 * second) },
    },
    catalog: () => catalog,
    executor: { ...executor, startGraceMs: executor.startGraceMs * speed },
    vault: {
      place: '',
      read: async () => ({ value: '', version: '' }),
      version: async () => ({ version: '', validFrom: null, expiresOn: null }),
    },
    emit: () => {},
    settings: { nudges: nudges(null, () => store.keys('nudge')), cache: null },
    person: name,
  };
  const work = pipeline(parts);
  return {
    parts,
    work,
    now,
    async step() {
      await work.tick(now()).catch(() => {});
      const taken = await launches.take(32, 3).catch(() => []);
      const launched = taken.map(({ text, done }) => work.launch(text, now()).then(done, () => {}));
      await Promise.all(launched);
    },
    async idle() {
      await executor.idle();
      while (finishing.size > 0) await Promise.all(finishing);
    },
  };
}

if (import.meta.main) {
  const host = await openHost(JSON.parse(readFileSync(0, 'utf8')));
  await register(host.parts, host.parts.catalog(), host.now());
  process.stdout.write('ready\n');
  for (;;) {
    await host.step();
    await sleep(100);
  }
}
