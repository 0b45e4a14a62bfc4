import { appendFile } from 'node:fs/promises';
import { type Duplex, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { AttemptSpec } from '../../run/attempt.ts';
import type { AttemptId } from '../../store/attempts.ts';
import type { AttemptRef, Executor, Status } from '../executor.ts';
import { processHandle } from '../process/pid.ts';
import { clearOut, type MovedIn, moveIn } from './attempt-folder.ts';
import { containerName, containerOptions, type Limits } from './container.ts';
import { type ContainerEnd, endOf, watchEnds } from './ends.ts';
import { isMissing, orMissing, startError, statusOf } from './error.ts';

export interface DockerOptions {
  docker: Docker;
  /** What to run jobs in: a name with a tag, or better a digest. It is looked up once, and kept to. */
  image: string;
  /** Which installation of this machine: letters and digits. Containers of others are left alone. */
  home: string;
  /** Where an attempt leaves what it leaves: all that its container sees of this machine's disk. */
  attemptFolder: (attempt: AttemptId) => string;
  /** What an attempt may use up. */
  limits: (attempt: AttemptId) => Limits;
  /** Where a shim's own last words go when it cannot deliver them; appended. */
  shimLog: string;
  /** Called when an attempt's container is over, with or without a result; the container is kept until it has settled. */
  ended: (attempt: AttemptId) => unknown;
  trouble: (error: unknown) => void;
}

export interface DockerExecutor extends Executor {
  /** Looks for containers of an earlier host and notices all ends from now on. @throws StartError: no daemon, no image */
  adopt(): Promise<void>;
  /** Containers that this process started, or adopted, and that are still there. */
  running(): number;
  /** Resolves when none of them is left. */
  idle(): Promise<void>;
  /** Asks all of them to end. */
  stopAll(): void;
  /** Lets go of the daemon. Containers run on. */
  close(): Promise<void>;
}

const patienceMs = 60_000;
/** The shim's exit code when the attempt is another's. */
const takenAlready = 75;
/** A shim listens within this time of its container's start. */
const deafMs = 2_000;
/** This many ends are remembered after their containers are gone. */
const mostEnds = 1_000;

/** Runs each attempt in a container of its own; see docs/containers.md for what that keeps it from. */
export function dockerExecutor(options: DockerOptions): DockerExecutor {
  const { docker, home } = options;
  const ours = new Map<string, AttemptId>();
  const ends = new Map<string, ContainerEnd>();
  let imageId: string | null = null;
  let host: Promise<string> | undefined;
  let quiet = Promise.withResolvers<void>();

  const me = () => {
    host ??= processHandle(process.pid);
    return host;
  };

  function leave(name: string): void {
    if (!ours.delete(name) || ours.size > 0) return;
    quiet.resolve();
    quiet = Promise.withResolvers();
  }

  const watch = watchEnds({
    docker,
    home,
    host: me,
    expected: () => ours,
    adopted: (attempt, name) => ours.set(name, attempt),
    async ended(attempt, name, end) {
      if (end) ends.set(name, end);
      for (const old of ends.keys()) if (ends.size > mostEnds) ends.delete(old);
      leave(name);
      await clearOut(options.attemptFolder(attempt)).catch(options.trouble);
      await options.ended(attempt);
    },
    trouble: options.trouble,
  });

  async function findImage(): Promise<string> {
    imageId ??= (await docker.getImage(options.image).inspect()).Id;
    return imageId;
  }

  /** The new container; undefined when the attempt has one already. */
  async function create(spec: AttemptSpec, { mount, user }: MovedIn): Promise<Docker.Container | undefined> {
    const { limits } = options;
    for (let again = false; ; again = true) {
      const image = await findImage();
      const place = { image, home, host: await me(), mount, user };
      const body = { ...containerOptions(spec, limits(spec), place), abortSignal: AbortSignal.timeout(patienceMs) };
      try {
        return await docker.createContainer(body);
      } catch (error) {
        if (statusOf(error) === 409) return undefined;
        // Built anew, and the old one removed: the name stands for another image now.
        if (!isMissing(error) || again) throw error;
        imageId = null;
      }
    }
  }

  async function run(container: Docker.Container, spec: AttemptSpec): Promise<void> {
    // Before the start: when this process dies, the shim finds the end of its input and leaves.
    const line = await container.attach({ stream: true, stdin: true, stderr: true, hijack: true });
    hand(docker, line as unknown as Duplex, spec, options.shimLog);
    try {
      await container.start({ abortSignal: AbortSignal.timeout(patienceMs) });
    } catch (error) {
      line.end();
      // The answer was lost: it may have started all the same.
      if (statusOf(error) !== undefined || !(await container.inspect()).State.Running) throw error;
    }
  }

  return {
    name: 'docker',
    startGraceMs: 60_000,
    needsSecretValues: true,
    get image() {
      return imageId;
    },
    running: () => ours.size,
    async idle() {
      while (ours.size > 0) await quiet.promise;
    },
    stopAll() {
      for (const name of ours.keys()) void kill(name).catch(options.trouble);
    },
    async adopt() {
      try {
        await watch.begin();
        await findImage();
      } catch (error) {
        throw startError(docker, options.image, error);
      }
    },
    close: () => watch.close(),
    async start(spec) {
      // What it misses before it listens it finds when it looks.
      void watch.begin().catch(() => {});
      const name = containerName(home, spec);
      let made: Docker.Container | undefined;
      try {
        const inside = await moveIn({ ...spec, cache: null });
        made = await create(spec, inside);
        if (!made) return name;
        ours.set(name, { job: spec.job, run: spec.run, attempt: spec.attempt });
        await run(made, inside.spec);
        return name;
      } catch (error) {
        leave(name);
        // Out of reach now, it is found and removed when the daemon is back.
        await made?.remove({ force: true, v: true }).catch(() => {});
        throw startError(docker, options.image, error);
      }
    },
    async status(attempt) {
      const name = containerName(home, attempt);
      const abortSignal = AbortSignal.timeout(patienceMs);
      const found = await orMissing(docker.getContainer(name).inspect({ abortSignal }));
      if (found?.State.Running) return 'running';
      return statusAfter(found?.State.Status === 'created' ? undefined : ((found && endOf(found)) ?? ends.get(name)));
    },
    stop: (attempt: AttemptRef) => kill(containerName(home, attempt)),
  };

  async function kill(name: string): Promise<void> {
    const container = docker.getContainer(name);
    // 409: it is over already, or not yet started.
    const terminate = () => orMissing(container.kill({ signal: 'SIGTERM' }), 409);
    await terminate();
    // The first process of a container hears no signal until it has asked for it, which the shim does a moment after
    // its start. A second one changes nothing.
    const found = await orMissing(container.inspect());
    const age = found?.State.Running ? Date.now() - Date.parse(found.State.StartedAt) : deafMs;
    if (age >= deafMs) return;
    await sleep(deafMs - age);
    await terminate();
  }
}

function statusAfter(end: ContainerEnd | undefined): Status {
  if (!end || end.exitCode === takenAlready) return 'unknown';
  return end.outOfMemory && end.exitCode === 137 ? 'out-of-memory' : 'ended';
}

/** The spec goes through stdin: the environment of a container is there for all to read who may inspect it. */
function hand(docker: Docker, line: Duplex, spec: AttemptSpec, shimLog: string): void {
  // A shim that dies before it has read it all is found by its end.
  line.on('error', () => {});
  line.end(JSON.stringify(spec));
  const last = new Writable({ write: (text, _, done) => void appendFile(shimLog, text).then(() => done(), done) });
  docker.modem.demuxStream(
    line,
    last,
    last.on('error', () => {}),
  );
}
