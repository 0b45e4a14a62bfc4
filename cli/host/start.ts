import { styleText } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { api } from '../../shared/api/api.ts';
import type { Guard } from '../../shared/api/caller.ts';
import { tokenGuard } from '../../shared/api/token-file.ts';
import { type Emit, eventText } from '../../shared/events.ts';
import { StartError } from '../../shared/executors/executor.ts';
import { findPython } from '../../shared/executors/process/python.ts';
import type { Catalog } from '../../shared/job/catalog.ts';
import type { Isolation } from '../../shared/job/isolation.ts';
import { problemText } from '../../shared/manifest/problem.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { nextSlots } from '../../shared/schedule/schedule.ts';
import type { AttemptId } from '../../shared/store/attempts.ts';
import { databaseFile } from '../../shared/store/embedded/store.ts';
import { visible } from '../../shared/text.ts';
import type { Home } from '../home.ts';
import { isolationOf } from '../isolation.ts';
import { Refusal } from '../refusal.ts';
import { count, spanText } from '../words.ts';
import { type Adopted, adopt } from './adopt.ts';
import { localAlerts } from './alerts.ts';
import { composeLocal, type LocalParts } from './compose.ts';
import { damageOf } from './damage.ts';
import { problemCount, readFolder } from './folder.ts';
import { noteJoined, takeLock } from './lock.ts';
import { type Loop, loop } from './loop.ts';
import { afterChange, watchFolder } from './reload.ts';
import { listen } from './server.ts';
import { openHere } from './session.ts';
import { signalled } from './signals.ts';
import { hasAzurite, type OpenStore, openFolder } from './store.ts';
import { apiToken } from './token.ts';

export interface StartOptions {
  port: number;
  /** Attempts at once on this host. */
  concurrency: number;
  /** How long history is kept, days. */
  retentionDays: number;
  /** A second host at the store of one that runs already. */
  join: boolean;
  /** What runs a job that does not say so itself, and what containers are made of. */
  executor: 'process' | 'docker';
  image: string;
  /** Jobs that may leave the container they would run in. */
  allowProcess?: string[];
  allowHostNetwork?: string[];
}

/** After this a host has loaded what it needs, ms. */
const settledMs = 15_000;

/** Hosts the service on this machine until a signal ends it. */
export async function start(home: Home, options: StartOptions): Promise<void> {
  // Nearly all that a host allocates is gone again at once: the room for it must not grow. Its start leaves the most
  // behind: until that is over V8 packs its heap, which would cost a quarter of the processor time of runs
  // (npm run bench -- --only f).
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--memory-saver-mode');
  setTimeout(() => setFlagsFromString('--no-memory-saver-mode'), settledMs).unref();
  // Takes a moment where Python comes from a version manager: meanwhile jobs are read and the store starts.
  const python = findPython();
  python.catch(() => {});
  const isolation = isolationOf(options);
  const { catalog, problems } = await readFolder(home.jobs, { isolation });
  for (const problem of problems) console.error(problemText(problem));
  if (catalog.size === 0)
    throw new Refusal(`No job of ${home.jobs} can run: fix the above, or make one with: lamp new <job>`);

  const host = new Host(home, catalog, python, isolation);
  if (options.join) {
    const opened = await openHere(home);
    const leave = await noteJoined(home.state);
    return host.run(opened, options).finally(leave).finally(opened.close);
  }
  const lock = await takeLock(home.state);
  try {
    if (hasAzurite(home)) {
      const { moveFromAzurite } = await import('./move.ts');
      await moveFromAzurite(home, (line) => host.say(line));
    }
    const opened = await openFolder(home);
    try {
      await opened.takeOver();
      void host.lookForDamage();
      await host.run(opened, options, lock.report);
    } finally {
      opened.close();
    }
  } finally {
    await lock.free();
  }
}

class Host {
  private readonly home: Home;
  private catalog: Catalog;
  private readonly python: Promise<string>;
  private readonly isolation: Isolation;

  constructor(home: Home, catalog: Catalog, python: Promise<string>, isolation: Isolation) {
    this.home = home;
    this.catalog = catalog;
    this.python = python;
    this.isolation = isolation;
  }

  say(line: string): void {
    console.log(`${styleText('dim', new Date().toISOString().slice(11, 19))} ${line}`);
  }

  emit: Emit = (event) => {
    const line = eventText(event);
    if (line !== undefined) this.say(event.type === 'trouble' ? styleText('yellow', visible(line)) : visible(line));
  };

  async lookForDamage(): Promise<void> {
    const file = databaseFile(this.home.state);
    const what = await damageOf(file);
    if (what === undefined) return;
    const error = new Error(`${file} is damaged (${what}): stop this host, then restore a backup: lamp restore <file>`);
    this.emit({ type: 'trouble', doing: 'checking the store', error });
  }

  async run(opened: OpenStore, options: StartOptions, tellUrl?: (url: string) => Promise<void>): Promise<void> {
    const signals = signalled();
    // Containers of a host that is gone are found before there is a loop that could be reported their ends.
    const looping = Promise.withResolvers<Loop>();
    looping.promise.catch(() => {});
    const ended = async (attempt: AttemptId) => (await looping.promise).ended(attempt);
    const parts = await composeLocal(this.home, {
      opened,
      catalog: () => this.catalog,
      emit: this.emit,
      ended,
      python: await this.python,
      executor: options.executor,
      image: options.image,
      isolation: this.isolation,
    });
    parts.alerts = await localAlerts(this.home, parts);
    const server = await listen(api(parts, Date.now, await this.guard()), options.join ? 0 : options.port);
    try {
      await parts.store.prepare();
      await register(parts, this.catalog, Date.now());
      await this.adoptContainers(parts);
      await tellUrl?.(server.url);
      this.welcome(server.url);
      let adopted: Adopted | undefined;
      const work = { running: () => parts.work.running() + (adopted?.running() ?? 0) };
      const running = loop(parts, () => options.concurrency - work.running(), Date.now, options.retentionDays);
      looping.resolve(running);
      adopted = options.join ? undefined : await adopt(parts, ended);
      if (adopted?.running()) this.say(`${count(adopted.running(), 'job')} of the host that is gone still running`);
      const reload = watchFolder(
        this.home.jobs,
        () => this.reload(parts),
        (error) => this.emit({ type: 'trouble', doing: 'reading the jobs again', error }),
      );
      await signals.first;
      await reload.close();

      // Running jobs may end by themselves, and no new ones start; a second signal ends them.
      const stopping = running.stop();
      if (work.running() > 0) {
        this.say(
          `waiting for ${count(work.running(), 'running job')}; Ctrl-C again ends ${work.running() === 1 ? 'it' : 'them'}`,
        );
      }
      void signals.second.then(() => {
        parts.work.stopAll();
        adopted?.stopAll();
      });
      await stopping;
      await parts.work.idle();
      await adopted?.idle();
      await running.stop();
      this.say('stopped');
    } finally {
      looping.reject(new Error('this host ends'));
      await parts.docker.close();
      await server.close();
    }
  }

  private async guard(): Promise<Guard> {
    return tokenGuard(await apiToken(this.home.state), this.home.person);
  }

  /** Those of a host that is gone; and without Docker jobs that need it cannot run. */
  private async adoptContainers({ docker, executor }: LocalParts): Promise<void> {
    const wanted = [...this.catalog.values()].filter(({ job }) => (job.executor ?? executor.name) === docker.name);
    if (wanted.length === 0) return;
    try {
      await docker.adopt();
    } catch (error) {
      if (executor.name === docker.name) throw error instanceof StartError ? new Refusal(error.message) : error;
      this.emit({ type: 'trouble', doing: 'looking for containers', error });
    }
  }

  private async reload(parts: LocalParts): Promise<void> {
    const read = await readFolder(this.home.jobs, { isolation: this.isolation });
    for (const problem of read.problems) console.error(problemText(problem));
    const { catalog, kept } = afterChange(this.home.jobs, this.catalog, read);
    this.catalog = catalog;
    await register(parts, catalog, Date.now());
    const still = kept.length > 0 ? `; until that is fixed, as before: ${kept.join(', ')}` : '';
    this.say(`jobs read again: ${catalog.size} to run, ${problemCount(read.problems)}${still}`);
  }

  private welcome(url: string): void {
    const now = Date.now();
    const [next] = [...this.catalog.values()]
      .flatMap(({ job }) =>
        job.schedules.flatMap(({ schedule }) => nextSlots(schedule, now, 1).map((at) => ({ job, at }))),
      )
      .sort((a, b) => a.at - b.at);
    this.say(styleText('bold', `Lamplighter runs ${count(this.catalog.size, 'job')} of ${this.home.root}`));
    if (next) this.say(`next: ${next.job.name} in ${spanText(next.at - now)}`);
    this.say(`health: ${url}/health`);
    this.say('In another terminal: npx lamp jobs · npx lamp logs <job> -f · npx lamp --help. Ctrl-C ends it.');
  }
}
