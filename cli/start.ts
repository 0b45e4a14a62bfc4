import { once } from 'node:events';
import { watch } from 'node:fs';
import { styleText } from 'node:util';
import { api } from '../shared/api.ts';
import type { Catalog } from '../shared/catalog.ts';
import { tell } from '../shared/journal.ts';
import { problemText } from '../shared/manifest/problem.ts';
import { register } from '../shared/register.ts';
import { nextSlots } from '../shared/schedule/schedule.ts';
import { startStore } from './azurite.ts';
import { composeLocal, type LocalParts } from './compose.ts';
import { readFolder } from './folder.ts';
import type { Home } from './home.ts';
import { takeLock } from './lock.ts';
import { type Loop, loop } from './loop.ts';
import { listen } from './server.ts';
import { openHere, Refusal } from './session.ts';

export interface StartOptions {
  port: number;
  /** Attempts at once on this host. */
  concurrency: number;
  /** A second host at the store of one that runs already. */
  join: boolean;
}

/** Hosts the service on this machine until a signal ends it. */
export async function start(home: Home, options: StartOptions): Promise<void> {
  const say = (line: string) => console.log(`${styleText('dim', new Date().toISOString().slice(11, 19))} ${line}`);
  const { catalog, problems } = await readFolder(home.jobs);
  for (const problem of problems) console.error(problemText(problem));
  if (catalog.size === 0)
    throw new Refusal('There is no job that could run: mend the above, or make one with: lamp new <job>');

  const lock = options.join ? undefined : await takeLock(home.state);
  try {
    const store = options.join ? undefined : await startStore(home.state);
    try {
      const connection = store?.connection ?? (await openHere(home));
      if (store?.adopted) say('took over the store of a host that is gone');
      await host(home, connection, catalog, options, say, (url) => lock?.tell(url));
    } finally {
      await store?.stop();
    }
  } finally {
    await lock?.free();
  }
}

async function host(
  home: Home,
  connection: string,
  first: Catalog,
  options: StartOptions,
  say: (line: string) => void,
  listening: (url: string) => unknown,
): Promise<void> {
  let catalog = first;
  let running: Loop | undefined;
  const parts = await composeLocal(home, {
    connection,
    catalog: () => catalog,
    journal(event) {
      const line = tell(event);
      if (line !== undefined) say(event.type === 'trouble' ? styleText('yellow', line) : line);
    },
    ended: (attempt) => running?.ended(attempt),
  });
  await parts.store.prepare();
  await register(parts, catalog, Date.now());
  const server = await listen(api(parts, Date.now), options.join ? 0 : options.port);
  await listening(server.url);
  welcome(catalog, server.url, home, say);

  running = loop(parts, () => options.concurrency - parts.executor.running());
  const reload = watchFolder(home.jobs, async () => {
    const read = await readFolder(home.jobs);
    for (const problem of read.problems) console.error(problemText(problem));
    // A job that has just been broken goes on as it was; one whose folder is gone ends.
    const broken = new Set(read.problems.map(({ file }) => file.split('/').at(-2)));
    const kept = [...catalog].filter(([name]) => broken.has(name) && !read.catalog.has(name));
    catalog = new Map([...read.catalog, ...kept]);
    await register(parts, catalog, Date.now());
    say(`jobs read again: ${catalog.size} to run, ${read.problems.length} problems`);
  });
  await ended();
  reload.close();
  await drain(parts, running, say);
  await server.close();
}

function welcome(catalog: Catalog, url: string, { root }: Home, say: (line: string) => void): void {
  const next = [...catalog.values()]
    .flatMap(({ job }) => job.schedules.map(({ schedule }) => ({ job, at: nextSlots(schedule, Date.now(), 1)[0] })))
    .filter((slot) => slot.at !== undefined)
    .sort((a, b) => (a.at ?? 0) - (b.at ?? 0))[0];
  say(styleText('bold', `Lamplighter runs ${catalog.size} jobs of ${root}`));
  if (next?.at) {
    say(`next: ${next.job.name} in ${Math.round((next.at - Date.now()) / 1_000)} s. Health: ${url}/health`);
  }
  say('In another terminal: npx lamp runs · npx lamp logs <job> -f · npx lamp --help. Ctrl-C ends it.');
}

/** Calls `changed` once things in the folder have been quiet for a moment. */
function watchFolder(folder: string, changed: () => Promise<void>): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(folder, { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => changed().catch((error) => console.error(`jobs could not be read again: ${error}`)), 300);
  });
  return {
    close() {
      clearTimeout(timer);
      watcher.close();
    },
  };
}

async function ended(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

/** Running jobs may end by themselves; a second signal ends them. */
async function drain(parts: LocalParts, running: Loop, say: (line: string) => void): Promise<void> {
  const left = parts.executor.running();
  if (left > 0) say(`waiting for ${left} running ${left === 1 ? 'job' : 'jobs'}; Ctrl-C again ends them`);
  const insist = () => parts.executor.stopAll();
  process.on('SIGINT', insist);
  process.on('SIGTERM', insist);
  await parts.executor.idle();
  await running.stop();
  say('stopped');
}
