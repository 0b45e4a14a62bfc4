import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { isPingKey } from '../executors/ping-key.ts';
import { type Instant, second } from '../instant.ts';
import { withoutLiterals } from '../manifest/literal.ts';
import { once } from '../once.ts';
import type { Parts } from '../parts.ts';
import { ping } from '../pipeline/ping.ts';
import type { Report } from '../run/outside.ts';
import { runName } from '../run/run.ts';
import type { Store } from '../store/store.ts';

const largestBytes = 64 * 1024;
const mostMetrics = 200;
const mostCategories = 200;

const metricName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/);
const counts = z.record(z.string().max(200), z.number()).refine((all) => Object.keys(all).length <= mostCategories);
const metrics = z
  .record(metricName, z.union([z.number(), counts]))
  .refine((all) => Object.keys(all).length <= mostMetrics, `at most ${mostMetrics} metrics`);

const report = z.strictObject({
  run: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'at most 100 letters, digits and . _ - such as 8123456789-1')
    .optional(),
  exitCode: z.int().min(-2_147_483_648).max(4_294_967_295).optional(),
  error: z.string().optional(),
  log: z.string().optional(),
  metrics: metrics.optional(),
});

const kinds = ['start', 'success', 'fail'] as const;

/** The same for a wrong key, a job that does not exist, and one that is not external. */
const refusal = 'expected authorization: Bearer <key> of an external job: lamp ping-key <job> prints it';

/** Where external jobs report their runs. Each request carries the key of its job: no one else is read any further. */
export function pings(parts: Parts, clock: () => Instant): Hono {
  const app = new Hono();
  const gate = gateOf(parts.store);
  const small = bodyLimit({
    maxSize: largestBytes,
    onError: (c) => c.json({ error: 'expected at most 64 KB: send the end of the log only' }, 413),
  });
  app.post('/:job/:kind', async (c, next) => {
    c.header('cache-control', 'no-store');
    const job = c.req.param('job');
    const key = /^Bearer ([\w-]{20,100})$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
    const right = /^[a-z0-9-]{1,48}$/.test(job) && isPingKey(await gate.key(), job, key);
    if (!right || !parts.catalog().get(job)?.job.external) return c.json({ error: refusal }, 401);
    const waitMs = gate.take(job, clock());
    if (waitMs > 0) {
      c.header('retry-after', String(Math.ceil(waitMs / second)));
      return c.json({ error: 'expected fewer pings of this job: wait, then send it again' }, 429);
    }
    return next();
  });
  app.post('/:job/:kind', small, async (c) => {
    const deployed = parts.catalog().get(c.req.param('job'));
    if (!deployed) return c.json({ error: refusal }, 401);
    const kind = kinds.find((one) => one === c.req.param('kind'));
    if (!kind) return c.json({ error: `expected ${kinds.join(', ')} at the end of the address` }, 404);
    const read = await reportOf(c);
    if ('error' in read) return c.json({ error: read.error }, 400);
    const run = await ping(parts, deployed, kind, read.report, clock());
    return c.json({ run: runName(run), state: run.state });
  });
  app.all('/:job/:kind', (c) => {
    c.header('allow', 'POST');
    return c.json({ error: 'expected POST' }, 405);
  });
  return app;
}

async function reportOf(c: Context): Promise<{ report: Report } | { error: string }> {
  const text = await c.req.text();
  let value: unknown;
  try {
    value = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    return { error: 'expected a body of JSON such as {"run": "8123456789-1", "exitCode": 0}, or none' };
  }
  const found = report.safeParse(value);
  if (!found.success) {
    const first = found.error.issues[0];
    return { error: `${first?.path.join('.') || 'body'}: expected ${first?.message ?? 'another value'}` };
  }
  const { run, exitCode, error, log, metrics = {} } = found.data;
  // No shim of ours has redacted these: their secrets are not known here, only the shapes that some have.
  const [said, written] = [error, log].map((text) =>
    text === undefined ? null : withoutLiterals(text.toWellFormed()),
  );
  const rest = { exitCode: exitCode ?? null, error: said ?? null, log: written ?? null, metrics };
  return { report: { name: run ?? null, ...rest } };
}

/** A job that pings in a loop by mistake must not fill the store; each host counts by itself. */
const burst = 30;
const refillMs = 2 * second;

interface Gate {
  key: () => Promise<Buffer>;
  /** Takes one of a job's pings. @returns 0, or how long the job must wait, ms */
  take(job: string, now: Instant): number;
}

/** Of this process: in Azure each request has an API of its own. */
const gates = new WeakMap<Store, Gate>();

function gateOf(store: Store): Gate {
  const gate = gates.get(store) ?? newGate(store);
  gates.set(store, gate);
  return gate;
}

function newGate(store: Store): Gate {
  // The instant at which a job has its whole burst again; only jobs whose key was right are in here.
  const full = new Map<string, Instant>();
  return {
    key: once(() => store.keys('ping')),
    take(job, now) {
      // A clock that is set back costs no more than one burst.
      const at = Math.min(Math.max(full.get(job) ?? now, now), now + burst * refillMs) + refillMs;
      const waitMs = at - now - burst * refillMs;
      if (waitMs > 0) return waitMs;
      full.set(job, at);
      return 0;
    },
  };
}
