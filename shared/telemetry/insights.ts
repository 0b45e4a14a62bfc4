import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Emit } from '../events.ts';
import { second } from '../instant.ts';
import type { Catalog } from '../job/catalog.ts';
import type { Health, Sender, SenderOptions, Told } from './sender.ts';
import { telemetryOf } from './translate.ts';

/** Events for Application Insights. None of this ever fails, or holds anybody up for longer than a flush may take. */
export interface Telemetry {
  /** Beside the one that people read. */
  emit: Emit;
  /** What the emit is told meanwhile belongs to the operation of the host; `traceParent` as W3C Trace Context has it. */
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
  /** Told once when events cannot be sent, and once when they can again. */
  log?: (line: string) => void;
  /** Longest a flush may take, ms. The first one loads the package, up to a second on a small machine. */
  flushMs?: number;
}

/** When telemetry is away for long, so many events are kept. */
const mostWaiting = 10_000;
/** So many are handed over at once: the package drops what goes beyond 2,048. */
const together = 500;

/** Sends events through the package `applicationinsights`, which is loaded by the first flush that has one. */
export function insights(options: InsightsOptions): Telemetry {
  const { catalog, log = console.warn, flushMs = 5 * second } = options;
  const operations = new AsyncLocalStorage<string | undefined>();
  const waiting: Told[] = [];
  const health = healthOf(log);
  let sender: Promise<Sender> | undefined;
  let draining: Promise<void> | undefined;
  /** A flush has given up waiting for what is under way. */
  let stuck = false;

  async function drain(): Promise<void> {
    try {
      sender ??= import('./sender.ts').then(({ openSender }) => openSender(options, health));
      const { send } = await sender;
      while (waiting.length > 0) await send(waiting.splice(0, together));
    } catch (error) {
      sender = undefined;
      health.bad(error);
    } finally {
      draining = undefined;
      stuck = false;
    }
  }

  return {
    emit(event) {
      try {
        const told = telemetryOf(event, catalog());
        const traceParent = operations.getStore();
        if (waiting.length + told.length > mostWaiting) health.bad(new Error('too many events wait: some are dropped'));
        else waiting.push(...told.map((one) => ({ event: one, traceParent })));
      } catch (error) {
        health.bad(error);
      }
    },
    operation: (traceParent, work) => operations.run(traceParent, work),
    async flush() {
      if (waiting.length > 0) draining ??= drain();
      // While telemetry hangs, one handler waits for it and the others do not.
      if (!draining || stuck) return;
      const over = new AbortController();
      const late = sleep(flushMs, 'late', { signal: over.signal, ref: false }).catch(() => undefined);
      stuck = (await Promise.race([draining, late])) === 'late';
      over.abort();
      if (stuck) health.bad(new Error(`nothing was accepted within ${flushMs} ms`));
    },
  };
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
