import { createRoute, z } from '@hono/zod-openapi';
import { type Api, callerOf, newApi, type Service } from '../app.ts';
import { roles } from '../caller.ts';
import { optional } from '../json.ts';
import { answers } from '../schema.ts';
import { time } from '../views.ts';

const health = createRoute({
  method: 'get',
  path: '/health',
  summary: 'Whether the service ticks, and what was set aside',
  responses: answers(
    z
      .object({
        jobs: z.int(),
        lastTick: time.nullable(),
        setAside: z.int().openapi({ description: 'Launches that failed five times, or that cannot be read' }),
      })
      .openapi('Health'),
  ),
});

const me = createRoute({
  method: 'get',
  path: '/me',
  summary: 'Who the caller is, and what they may do',
  responses: answers(
    z
      .object({ name: z.string(), roles: z.array(z.enum(roles)), departments: z.array(z.string()).nullable() })
      .openapi('Caller'),
  ),
});

export function serviceRoutes({ parts }: Service): Api {
  return newApi()
    .openapi(health, async (c) => {
      callerOf(c, 'read');
      const { marks, launches } = parts.store;
      const [ticked, setAside] = await Promise.all([marks.get('heartbeat'), launches.poisonCount()]);
      return c.json({ jobs: parts.catalog().size, lastTick: optional(ticked), setAside }, 200);
    })
    .openapi(me, async (c) => {
      const { name, roles: held, departments } = c.get('caller');
      return c.json({ name, roles: [...held], departments: departments && [...departments] }, 200);
    });
}
