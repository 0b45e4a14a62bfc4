import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Emit, Event } from '../events.ts';
import { second } from '../instant.ts';
import type { Catalog } from '../job/catalog.ts';
import type { Health, Sender, SenderOptions } from './sender.ts';
import { telemetryOf } from './translate.ts';
import { waiting } from './waiting.ts';

/** Events for Application Insights. None of this ever fails, or holds anyone up for longer than a flush may take. */
export interface Telemetry {
  /** Beside the one that people read. */
  emit: Emit;
  /** What the emit is reported meanwhile belongs to the operation of the host; `traceParent` as W3C Trace Context has it. */
  operation<T>(traceParent: string | undefined, work: () => Promise<T>): Promise<T>;
  /** Before a handler ends: afterwards the platform may take the process away. Resolves in any case, and in time. */
  flush(): Promise<void>;
}

export const noTelemetry: Telemetry = {
  emit: () => undefined,
  operation: (_, work) => work(),
  flush: async () => undefined,
};

export interface InsightsOptions extends SenderOptions {
  /** Owner and tier of a job, on which alert rules depend, are not in its runs. */
  catalog: () => Catalog;
  /** Reported once when events cannot be sent, and once when they can again. */
  log?: (line: string) => void;
  /** Longest a flush waits for a portion to be accepted, ms. The first loads the package, up to a second on a small machine. */
  flushMs?: number;
  /** Events kept while they cannot be sent. */
  most?: number;
  /** Instead of the package. */
  open?: (options: SenderOptions, health: Health) => Promise<Sender>;
}

/** While telemetry is unavailable, at most this many events are kept: about 50 MB. */
const mostWaiting = 50_000;
/** Sending begins in the middle of an invocation when this many wait: a day's backlog never waits for its end. */
const portion = 2_000;
/** At most this many are handed over at once: the package drops what goes beyond 2,048. */
const together = 500;
/** While portions are accepted, a flush goes on for this many times its limit. */
const longest = 4;

/** Sends events through the package `applicationinsights`, which is loaded by the first flush that has one. */
export function insights(options: InsightsOptions): Telemetry {
  const { catalog, log = console.warn, flushMs = 5 * second, most = mostWaiting } = options;
  const operations = new AsyncLocalStorage<string | undefined>();
  const queue = waiting(most);
  const health = healthOf(log);
  let sender: Promise<Sender> | undefined;
  let draining: Promise<void> | undefined;
  /** Portions that left, for a flush to see whether it still gets on. */
  let portions = 0;
  /** Events that were dropped, and not reported yet. */
  let dropped = 0;
  /** A flush has given up waiting for what is under way. */
  let stuck = false;

  async function drain(): Promise<void> {
    try {
      sender ??= (options.open ?? open)(options, health);
      const { send } = await sender;
      while (queue.size() > 0) {
        await send(queue.take(together));
        portions++;
        reportDropped();
      }
    } catch (error) {
      sender = undefined;
      health.bad(error);
    } finally {
      draining = undefined;
      stuck = false;
    }
  }

  function add(event: Event): void {
    const traceParent = operations.getStore();
    for (const one of telemetryOf(event, catalog())) dropped += queue.add({ event: one, traceParent });
  }

  /** As an event of its own, once there is room again. */
  function reportDropped(): void {
    if (dropped === 0 || queue.size() > most / 2) return;
    const error = `${dropped} events were dropped: more than ${most} waited. The history has all of them`;
    dropped = 0;
    log(error);
    add({ type: 'trouble', doing: 'sending telemetry', error: new Error(error) });
  }

  return {
    emit(event) {
      try {
        add(event);
        if (queue.size() >= portion) draining ??= drain();
      } catch (error) {
        health.bad(error);
      }
    },
    operation: (traceParent, work) => operations.run(traceParent, work),
    async flush() {
      if (queue.size() > 0) draining ??= drain();
      // While telemetry hangs, one handler waits for it and the others do not.
      for (let round = 0; draining && !stuck && round < longest; round++) {
        const before = portions;
        const over = new AbortController();
        const late = sleep(flushMs, 'late', { signal: over.signal, ref: false }).catch(() => undefined);
        const end = await Promise.race([draining, late]);
        over.abort();
        if (end !== 'late') return;
        if (portions > before) continue;
        stuck = true;
        health.bad(new Error(`nothing was accepted within ${flushMs} ms`));
      }
    },
  };
}

async function open(options: SenderOptions, health: Health): Promise<Sender> {
  const { openSender } = await import('./sender.ts');
  return openSender(options, health);
}

/** Says each change once. */
function healthOf(log: (line: string) => void): Health {
  let away = false;
  return {
    good() {
      if (away) log('events reach Application Insights again');
      away = false;
    },
    bad(problem) {
      const why = problem instanceof Error ? problem.message : String(problem);
      if (!away)
        log(`events do not reach Application Insights (${why}); everything else goes on, and history is whole`);
      away = true;
    },
  };
}
