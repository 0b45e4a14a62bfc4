import type { Event } from '../../../shared/events.ts';
import { nudges } from '../../../shared/executors/nudge.ts';
import { type Instant, minute } from '../../../shared/instant.ts';
import type { Catalog, Deployed } from '../../../shared/job/catalog.ts';
import type { Job } from '../../../shared/job/job.ts';
import type { Parts } from '../../../shared/parts.ts';
import { register } from '../../../shared/pipeline/deployments.ts';
import { type Pipeline, pipeline } from '../../../shared/pipeline.ts';
import type { Run } from '../../../shared/run/run.ts';
import type { Attempts } from '../../../shared/store/attempts.ts';
import { signWithKey } from '../../../shared/store/azure/signature.ts';
import { openStore } from '../../../shared/store/azure/store.ts';
import type { Store } from '../../../shared/store/store.ts';
import { freshAccount } from '../storage/account.ts';
import { memoryStore } from '../storage/memory.ts';
import { SteppedQueue } from '../storage/queue.ts';
import { deployed, seven } from './cast.ts';
import { create, FakePlatform } from './executor.ts';

/** A service over an empty account whose clock, queue and platform are the test's. */
export class World {
  now: Instant = seven - 30 * minute;
  readonly connection: string;
  readonly queue: SteppedQueue;
  readonly platform: FakePlatform;
  /** Creates a blob as a shim does. False: it is there already. */
  readonly create: typeof create;
  readonly events: Event[] = [];
  readonly jobs = new Map<string, Deployed>();
  readonly store: Store;
  readonly parts: Parts;
  readonly work: Pipeline;
  /** Set: no one says that an attempt has ended. */
  deaf = false;
  /** The rows as another process opens them. */
  private readonly openedAgain: () => Partial<Store>;

  private constructor(kept: 'azurite' | 'memory') {
    if (kept === 'memory') {
      const memory = memoryStore(() => this.now);
      this.connection = '';
      this.queue = memory.queue;
      this.openedAgain = memory.rows;
      this.create = memory.create;
      this.store = { ...memory.store, attempts: this.byOurClock(memory.store.attempts) };
    } else {
      this.connection = freshAccount();
      this.queue = new SteppedQueue(() => this.now);
      this.create = create;
      this.openedAgain = () => ({});
      this.store = this.azurite();
    }
    this.platform = new FakePlatform(() => this.now, this.create);
    this.parts = this.host({});
    this.work = pipeline(this.parts);
  }

  private azurite(): Store {
    // Storage itself checks signatures by the real time.
    const hourFromNow = () => Date.now() + 60 * minute;
    const store = openStore(this.connection, (container, blob, rights) =>
      signWithKey(container, blob, rights, hourFromNow()),
    );
    return {
      ...store,
      launches: this.queue,
      attempts: this.byOurClock(store.attempts),
      time: async () => Math.floor(this.now / 1_000) * 1_000,
    };
  }

  /** The store stamps its blobs with the real time; the test's clock stands somewhere else. */
  private byOurClock(attempts: Attempts): Attempts {
    return {
      ...attempts,
      begun: async (id) => ((await attempts.begun(id)) === undefined ? undefined : this.platform.life(id)?.begun),
      lastHeartbeat: async (id) => this.platform.life(id)?.last,
    };
  }

  /** With the jobs registered half an hour before seven, and one tick done. */
  static of(...jobs: Job[]): Promise<World> {
    return World.begin(new World('azurite'), jobs);
  }

  /** The same over a store in memory: for thousands of slots. */
  static inMemory(...jobs: Job[]): Promise<World> {
    return World.begin(new World('memory'), jobs);
  }

  private static async begin(world: World, jobs: Job[]): Promise<World> {
    await world.store.prepare();
    for (const job of jobs) world.jobs.set(job.name, deployed(job));
    await register(world.parts, world.catalog(), world.now);
    await world.work.tick(world.now);
    return world;
  }

  catalog(): Catalog {
    return this.jobs;
  }

  /** The parts of one host, some of them replaced. */
  host(over: Partial<Parts>): Parts {
    return {
      store: this.store,
      catalog: () => this.jobs,
      executor: this.platform,
      vault: {
        place: 'nowhere',
        read: async () => ({ value: 'hush', version: 'v1' }),
        version: async () => ({ version: 'v1', validFrom: null, expiresOn: null }),
      },
      emit: (event) => this.events.push(event),
      settings: { nudges: nudges(null, () => this.store.keys('nudge')), cache: null },
      person: 'host',
      ...over,
    };
  }

  /** A host in a process of its own: it guesses nothing from what the others wrote. Over a store in memory only. */
  apart(over: Partial<Parts> = {}): Parts {
    const { limit } = this.parts;
    return this.host({
      store: { ...this.store, ...this.openedAgain() },
      ...(limit !== undefined && { limit }),
      ...over,
    });
  }

  async deploy(job: Job, code?: string): Promise<void> {
    this.jobs.set(job.name, deployed(job, code));
    await register(this.parts, this.jobs, this.now);
  }

  /** Hands out what is visible now, and reports the attempts that have ended, until nothing is left to do. */
  async settleDown(work: Pipeline = this.work): Promise<void> {
    for (;;) {
      const due = await this.queue.take(32, 60);
      for (const { text, done } of due) {
        await work.launch(text, this.now);
        await done();
      }
      const ended = this.deaf ? [] : this.platform.nudges.splice(0);
      for (const id of ended) await work.finish(id, this.now);
      if (due.length + ended.length === 0) return;
    }
  }

  /** Lets time pass until `until`: messages are worked on when they become visible, ticks come on each minute. */
  async pass(until: Instant): Promise<void> {
    await this.settleDown();
    while (this.now < until) {
      const tick = (Math.floor(this.now / minute) + 1) * minute;
      const next = Math.min(tick, this.queue.next() ?? tick, until);
      this.now = Math.max(next, this.now);
      if (this.now === tick) await this.work.tick(this.now);
      await this.settleDown();
    }
  }

  /** All rows of a job, oldest slot first. */
  async rows(job: string): Promise<Run[]> {
    const rows: Run[] = [];
    for await (const { value } of this.store.runs.list(job, { page: 1_000 })) rows.push(value);
    return rows.reverse();
  }

  async row(job: string): Promise<Run> {
    const [row, ...others] = await this.rows(job);
    if (!row || others.length > 0) throw new Error(`${job} has ${others.length + (row ? 1 : 0)} rows, expected one`);
    return row;
  }

  /** State of each row, oldest slot first. */
  async states(job: string): Promise<string[]> {
    return (await this.rows(job)).map(({ state, reasonCode }) => (reasonCode ? `${state} ${reasonCode}` : state));
  }

  /** What must be empty once all is over: active entries, runs that hold a job, attempts run more than once. */
  async leftovers(): Promise<string[]> {
    const left: string[] = [];
    for await (const { value } of this.store.active.all()) left.push(`active ${value.job}.${value.run}`);
    for await (const { value } of this.store.jobs.all()) {
      left.push(...value.running.map(({ run }) => `${value.name} held by ${run}`));
    }
    for (const [attempt, count] of this.platform.executions) if (count > 1) left.push(`${attempt} ran ${count} times`);
    return left;
  }
}
