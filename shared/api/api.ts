import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { linkPath } from '../alerts/links.ts';
import { finishPath } from '../executors/nudge.ts';
import { pingPath } from '../executors/ping-key.ts';
import type { Instant } from '../instant.ts';
import { iso } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { pipeline } from '../pipeline.ts';
import { parseRunId } from '../run/run.ts';
import { alertLinkPages } from './alert-links.ts';
import type { Guard } from './caller.ts';
import { apiPath, tickPath } from './paths.ts';
import { pings } from './pings.ts';
import { unknownAddress, v1 } from './v1.ts';

/** Only what names an attempt: these go into addresses and messages. */
const attemptId = z.strictObject({
  job: z.string().regex(/^[a-z0-9-]{1,48}$/),
  run: z.string().refine((id) => parseRunId(id) !== undefined),
  attempt: z.int().positive().max(1_000),
});

/** Anyone may knock there, so no more is read than a nudge needs. */
const small = bodyLimit({ maxSize: 4_096, onError: (c) => c.json({ error: 'expected at most 4 KB' }, 413) });

/** The address behind a message lets its reader act: it must not stand in a log, least of all when it was not used up. */
function withoutTicket(path: string): string {
  return path.startsWith(`${linkPath}/`) ? `${linkPath}/…` : path;
}

/**
 * The HTTP side of the service. Hosts mount it: a socket on one machine, Azure Functions in the cloud.
 * @param guard who calls the API below {@link apiPath}; the routes beside it are for machines, and have their own checks
 */
export function api(parts: Parts, clock: () => Instant, guard: Guard): Hono {
  const app = new Hono();
  const work = pipeline(parts);

  app.onError((error, c) => {
    // The one that asks may be anyone; what failed is reported where the service reports everything.
    parts.emit({ type: 'trouble', doing: `answering ${c.req.method} ${withoutTicket(c.req.path)}`, error });
    return c.json({ error: 'this cannot be answered now: the log of the service says why' }, 500);
  });
  /** Neither a shim nor a scheduler is a page in a browser; what such a page sends says where it is from. */
  app.post('*', async (c, next) => {
    const origin = c.req.header('origin');
    if (origin !== undefined && origin !== new URL(c.req.url).origin) {
      return c.json({ error: 'expected a request from this address, not from another page' }, 403);
    }
    return next();
  });
  if (parts.alerts?.links) app.route(linkPath, alertLinkPages(parts, parts.alerts.links, clock));
  app.get('/health', async (c) => {
    const { marks, launches } = parts.store;
    const [{ heartbeat, behind }, setAside] = await Promise.all([marks.progress(() => {}), launches.poisonCount()]);
    const lastTick = heartbeat === undefined ? null : iso(heartbeat);
    // Jobs that could not be claimed as far as the others.
    return c.json({ jobs: parts.catalog().size, lastTick, setAside, behind: [...behind.keys()] });
  });
  /** Anyone may call it as often as they like: a second scheduler, a person. */
  app.post(tickPath, async (c) => {
    const now = clock();
    await work.tick(now);
    return c.json({ ticked: iso(now) });
  });
  app.route(pingPath, pings(parts, clock));
  /** The shim's nudge. It only makes us look: the result is read from storage. */
  app.post(finishPath, small, async (c) => {
    // A page that a browser shows can send text to this machine, but no JSON without asking first.
    if (!/^application\/json\b/i.test(c.req.header('content-type') ?? '')) {
      return c.json({ error: 'expected content-type: application/json' }, 415);
    }
    const id = attemptId.safeParse(await c.req.json().catch(() => undefined));
    if (!id.success) return c.json({ error: 'expected {"job": …, "run": …, "attempt": 1}' }, 400);
    if (!(await parts.settings.nudges.isSigned(id.data, c.req.query('code') ?? ''))) {
      return c.json({ error: 'expected ?code= as the specification of this attempt has it' }, 401);
    }
    await work.finish(id.data, clock());
    return c.body(null, 204);
  });
  const service = v1({ parts, clock }, guard);
  app.route(apiPath, service);
  app.notFound((c) => {
    if (c.req.path.startsWith(`${apiPath}/`)) return unknownAddress(service, c, c.req.path.slice(apiPath.length));
    return c.json({ error: 'expected an address of this service: see its documentation' }, 404);
  });
  return app;
}
