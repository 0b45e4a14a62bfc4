import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { AttemptId } from '../../store/attempts.ts';
import { isAlive } from '../process/pid.ts';
import { attemptOf, label } from './container.ts';
import { orMissing, unreachable } from './error.ts';

/** How a container ended. */
export interface ContainerEnd {
  exitCode: number;
  /** The kernel killed in it for lack of memory. */
  outOfMemory: boolean;
}

export interface EndsOptions {
  docker: Docker;
  /** Which installation's containers, and which process we are: those of another host that lives are left to it. */
  home: string;
  host: () => Promise<string>;
  /** Containers that should be there, by name: asked right before each look. */
  expected: () => Iterable<[name: string, AttemptId]>;
  /** A container of a host that is gone still runs. */
  adopted: (attempt: AttemptId, name: string) => void;
  /** A container is over, or gone (undefined). It is removed once this has settled. */
  ended: (attempt: AttemptId, name: string, end: ContainerEnd | undefined) => Promise<unknown>;
  /** The daemon was lost, or did something odd; it is tried again. */
  trouble: (error: unknown) => void;
}

/** Notices the end of each container, also of those that ended while no one looked, and removes it. */
export interface Ends {
  /** Resolves after the first look. Rejects when that failed; it is tried again all the same. */
  begin(): Promise<void>;
  close(): Promise<void>;
}

export function endOf({ State }: Docker.ContainerInspectInfo): ContainerEnd {
  return { exitCode: State.ExitCode, outOfMemory: State.OOMKilled };
}

type Labels = Record<string, string | undefined>;
const patienceMs = 30_000;
/** Exit code after SIGKILL, as an event has it. */
const killed = '137';

export function watchEnds({ docker, home, host, expected, adopted, ended, trouble }: EndsOptions): Ends {
  const filters = { label: [`${label.home}=${home}`] };
  const stopping = new AbortController();
  const burials = new Map<string, Promise<void>>();
  let first: Promise<void> | undefined;
  let loop: Promise<void> | undefined;

  async function isOurs(labels: Labels): Promise<boolean> {
    const other = labels[label.host] ?? '';
    return other === (await host()) || !(await isAlive(other));
  }

  /** An event and a listing may both report one end. */
  function bury(id: string, name: string, labels: Labels): void {
    if (burials.has(id)) return;
    const running = burial(id, name, labels)
      .catch(trouble)
      .finally(() => burials.delete(id));
    burials.set(id, running);
  }

  async function burial(id: string, name: string, labels: Labels): Promise<void> {
    const attempt = attemptOf(labels);
    if (!attempt || !(await isOurs(labels))) return;
    const container = docker.getContainer(id);
    await ended(attempt, name, await endFrom(container, labels.exitCode));
    // With the anonymous volumes that the image may declare. 409: it is being removed already.
    await orMissing(container.remove({ force: true, v: true }), 409);
  }

  async function look(): Promise<void> {
    const missing = new Map(expected());
    const abortSignal = AbortSignal.timeout(patienceMs);
    for (const { Id, Names, Labels, State } of await docker.listContainers({ all: true, filters, abortSignal })) {
      const name = Names[0]?.slice(1) ?? '';
      const attempt = attemptOf(Labels);
      missing.delete(name);
      if (!attempt || !(await isOurs(Labels))) continue;
      if (State === 'exited' || State === 'dead') bury(Id, name, Labels);
      else if (State !== 'created') adopted(attempt, name);
      // Made and never started: its host has died in between. One of this host is on its way.
      else if (Labels[label.host] !== (await host())) await orMissing(docker.getContainer(Id).remove(), 409);
    }
    for (const [name, attempt] of missing) await ended(attempt, name, undefined);
  }

  /** Returns when the daemon has gone. */
  async function listen(looked: () => void): Promise<void> {
    // First the events, then the look: so no end falls in between.
    const events = await docker.getEvents({
      filters: { ...filters, type: ['container'], event: ['die'] },
      abortSignal: stopping.signal,
    });
    try {
      const reported = hear(events, (id, labels) => bury(id, labels.name ?? '', labels));
      await Promise.race([look(), reported]);
      looked();
      await reported;
    } finally {
      (events as NodeJS.ReadableStream & { destroy(): void }).destroy();
    }
  }

  async function listenOn(looked: () => void, failed: (error: unknown) => void): Promise<void> {
    for (let pause = 100; !stopping.signal.aborted; pause = Math.min(pause * 2, 5_000)) {
      try {
        await listen(() => {
          looked();
          pause = 100;
        });
      } catch (error) {
        if (stopping.signal.aborted) return;
        failed(error);
        trouble(new Error(unreachable(docker, error), { cause: error }));
      }
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  return {
    begin() {
      first ??= new Promise((resolve, reject) => {
        loop = listenOn(resolve, reject);
      });
      return first;
    },
    async close() {
      stopping.abort();
      await loop;
      await Promise.all(burials.values());
    },
  };
}

/** Whether memory was lacking only a look says, and only what was killed is worth one. */
async function endFrom(container: Docker.Container, reported: string | undefined): Promise<ContainerEnd | undefined> {
  if (reported !== undefined && reported !== killed) return { exitCode: Number(reported), outOfMemory: false };
  const found = await orMissing(container.inspect({ abortSignal: AbortSignal.timeout(patienceMs) }));
  return found && endOf(found);
}

/** Reads the daemon's events, a JSON object a line. Resolves or rejects when they end. */
async function hear(events: NodeJS.ReadableStream, die: (id: string, labels: Labels) => void): Promise<void> {
  let rest = '';
  for await (const chunk of events) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter((text) => text.trim() !== '')) {
      const { Actor } = JSON.parse(line) as { Actor: { ID: string; Attributes: Labels } };
      die(Actor.ID, Actor.Attributes);
    }
  }
  throw new Error('the stream of events has ended');
}
