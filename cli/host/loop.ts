import { setTimeout as sleep } from 'node:timers/promises';
import { day, hour, type Instant, minute, second } from '../../shared/instant.ts';
import type { Parts } from '../../shared/parts.ts';
import { type Pipeline, pipeline } from '../../shared/pipeline.ts';
import type { AttemptId } from '../../shared/store/attempts.ts';
import { countedFrom, type Received } from '../../shared/store/launches.ts';
import { checkSecrets } from '../../shared/upkeep/secrets.ts';
import { retentionDays, upkeep } from '../../shared/upkeep/upkeep.ts';
import { steadyClock } from './clock.ts';

/** Ticks are a minute apart in Azure; here a few more cost nothing and repair sooner. */
const tickEvery = 15 * second;
/** Each tick watches as well: this is for when ticks fail or take long. */
const watchEvery = minute;
/** Whether attempts in line wait for one whose end got lost is seen to this often; it costs nothing when none may. */
const freeEvery = 5 * second;
/** The launch queue is asked at least this often; when this host knows that something comes, it asks then. */
const pollEvery = second;
/** The daily check of secrets is asked for this often: it knows itself when a day is over. */
const checkEvery = hour;
/** While a message is worked on no other host sees it for this long. */
const hiddenSeconds = 60;
/** As in Azure Functions: a message that fails this often is set aside. */
const mostTries = 5;
/** With this many ends still to be written down nothing new is started. */
const mostEnding = 32;

export interface Loop {
  /** Say that an attempt has ended; resolves when that has been dealt with. */
  ended(attempt: AttemptId): Promise<void>;
  /** Takes no more work; resolves when nothing of it is left in this process. May be called again after late ends. */
  stop(): Promise<void>;
}

/**
 * The timer, the queue trigger and the finish nudge of one machine: calls the same pipeline that Azure Functions call.
 * @param free how many attempts may start now
 * @param wall the machine's clock; the store's is asked whether it is right
 * @param days that history is kept
 */
export function loop(
  parts: Parts,
  free: () => number,
  wall: () => Instant = Date.now,
  days = retentionDays.usual,
): Loop {
  const time = steadyClock(parts.store.time, wall);
  const clock = time.now;
  const work = pipeline(withHints(parts, clock, wakeAt));
  const stopping = new AbortController();
  const busy = new Set<Promise<void>>();
  /** Launches that are not through yet: each will take a place. Ends take none, as long as they keep up. */
  let launching = 0;
  /** No place was free when last looked: whatever frees one says so. */
  let full = false;
  const hints = new Set<Instant>();
  let due: Instant = 0;
  let checkAt: Instant = 0;
  let upkeepAt: Instant = 0;
  let wake = () => {};

  function wakeAt(at: Instant) {
    hints.add(at);
    if (at < due) wake();
  }

  function nextPoll(): Instant {
    const now = clock();
    for (const hint of hints) if (hint <= now) hints.delete(hint);
    return Math.min(now + pollEvery, ...hints);
  }

  /** Nothing that fails here ends the loop: storage comes back, and the next tick repairs. */
  function attempt(doing: string, action: () => Promise<void>): Promise<void> {
    const promise = action()
      .catch((error) => parts.emit({ type: 'trouble', doing, error }))
      .finally(() => {
        busy.delete(promise);
        if (full) wake();
      });
    busy.add(promise);
    return promise;
  }

  async function start(received: Received) {
    launching += 1;
    const counted = () =>
      handle(work, parts, received, clock).finally(() => {
        launching -= 1;
      });
    await attempt('launching', counted);
  }

  async function tickLoop() {
    while (!stopping.signal.aborted) {
      await tickOnce().catch((error) => parts.emit({ type: 'trouble', doing: 'ticking', error }));
      // Between the whole minutes, at which jobs are due: they need the processor then.
      await pause(tickEvery - ((clock() + tickEvery / 2) % tickEvery));
    }
  }

  /** By itself: a tick that fails or takes long keeps nothing from being looked after. */
  async function watchLoop() {
    await pause(watchEvery / 2);
    while (!stopping.signal.aborted) {
      await work.watch(clock()).catch((error) => parts.emit({ type: 'trouble', doing: 'watching', error }));
      await pause(watchEvery);
    }
  }

  async function placesLoop() {
    while (!stopping.signal.aborted) {
      await pause(freeEvery);
      await work
        .freePlaces(clock())
        .catch((error) => parts.emit({ type: 'trouble', doing: 'looking at the places of attempts', error }));
    }
  }

  function pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: stopping.signal }).catch(() => {});
  }

  async function tickOnce() {
    const byMs = await time.sync();
    if (byMs !== 0) parts.emit({ type: 'clock-corrected', byMs });
    await work.tick(clock());
    if (clock() < checkAt) return;
    checkAt = clock() + checkEvery;
    if (clock() < upkeepAt) return void attempt('checking the secrets', () => checkSecrets(parts, clock()));
    upkeepAt = clock() + day;
    const retention = { days, blobs: true, hasTime: () => !stopping.signal.aborted };
    void attempt('the daily upkeep', () => upkeep(parts, retention, clock()));
  }

  async function queueLoop() {
    while (!stopping.signal.aborted) {
      due = nextPoll();
      // Messages that wait for their second count: they will start something.
      const wanted = busy.size - launching < mostEnding ? free() - launching : 0;
      full = wanted <= 0;
      const taken = full ? [] : await take(wanted);
      for (const received of taken) void start(received);
      if (taken.length > 0 && taken.length === Math.min(wanted, 32)) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(due - clock(), 0));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async function take(count: number): Promise<Received[]> {
    try {
      return await parts.store.launches.take(count, hiddenSeconds);
    } catch (error) {
      parts.emit({ type: 'trouble', doing: 'reading the launch queue', error });
      return [];
    }
  }

  const loops = Promise.all([tickLoop(), watchLoop(), placesLoop(), queueLoop()]);
  return {
    ended(id) {
      const finished = attempt(`finishing ${id.job}.${id.run}`, () => work.finish(id, clock()));
      if (full) wake();
      return finished;
    },
    async stop() {
      stopping.abort();
      wake();
      await loops;
      while (busy.size > 0) await Promise.all(busy);
    },
  };
}

async function handle(work: Pipeline, parts: Parts, received: Received, clock: () => Instant): Promise<void> {
  const early = (work.slotOf(received.text) ?? 0) - clock();
  if (early > 0 && early <= second) await sleep(early);
  if (received.count > mostTries || !(await work.launch(received.text, clock()))) {
    await parts.store.launches.putPoison(received.text);
  }
  await received.done();
}

/** The same parts, reporting when something was queued, so that this host need not poll to be on time. */
function withHints(parts: Parts, clock: () => Instant, hint: (at: Instant) => void): Parts {
  const launches = countedFrom(clock, parts.store.launches);
  const put: typeof launches.put = async (message, at, now) => {
    await launches.put(message, at, now);
    hint(at);
  };
  return { ...parts, store: { ...parts.store, launches: { ...launches, put } } };
}
