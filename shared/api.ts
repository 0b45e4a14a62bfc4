import { Hono } from 'hono';
import { z } from 'zod';
import type { Instant } from './instant.ts';
import { iso } from './instant.ts';
import { finishPath } from './nudge.ts';
import type { Parts } from './parts.ts';
import { pipeline } from './pipeline.ts';

const attemptId = z.object({ job: z.string(), run: z.string(), attempt: z.int().positive() });

export const tickPath = '/api/tick';

/** The HTTP side of the service. Hosts mount it: a socket on one machine, Azure Functions in the cloud. */
export function api(parts: Parts, clock: () => Instant): Hono {
  const app = new Hono();
  const work = pipeline(parts);

  app.get('/health', async (c) => {
    const { marks, launches } = parts.store;
    const [ticked, setAside] = await Promise.all([marks.get('heartbeat'), launches.poisonCount()]);
    return c.json({ jobs: parts.catalog().size, lastTick: ticked === undefined ? null : iso(ticked), setAside });
  });
  /** Anybody may call it as often as they like: a second scheduler, a person. */
  app.post(tickPath, async (c) => {
    const now = clock();
    await work.tick(now);
    return c.json({ ticked: iso(now) });
  });
  /** The shim's nudge. It only makes us look: what it says is taken from storage. */
  app.post(finishPath, async (c) => {
    const id = attemptId.safeParse(await c.req.json().catch(() => undefined));
    if (!id.success) return c.json({ error: 'expected {"job": …, "run": …, "attempt": 1}' }, 400);
    const { nudges } = parts.settings;
    if (nudges && !(await nudges.isSigned(id.data, c.req.query('code') ?? ''))) {
      return c.json({ error: 'expected ?code= as the specification of this attempt has it' }, 401);
    }
    await work.finish(id.data, clock());
    return c.body(null, 204);
  });
  return app;
}
