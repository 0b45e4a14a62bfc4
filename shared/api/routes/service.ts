import { createRoute, z } from '@hono/zod-openapi';
import { type Api, callerOf, newApi, type Service } from '../app.ts';
import { roles, sees } from '../caller.ts';
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
        behind: z.array(z.string()).openapi({ description: 'Jobs that could not be claimed as far as the others' }),

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
      const caller = callerOf(c, 'read');
      const { marks, launches } = parts.store;
      const [{ heartbeat, behind }, setAside] = await Promise.all([marks.progress(), launches.poisonCount()]);
      const seen = [...behind.keys()].filter((job) => sees(caller, parts.catalog().get(job)?.job));
      const jobs = [...parts.catalog().values()].filter(({ job }) => sees(caller, job)).length;
      return c.json({ jobs, lastTick: optional(heartbeat), behind: seen, setAside }, 200);
    })
    .openapi(me, async (c) => {
      const { name, roles: held, departments } = c.get('caller');
      return c.json({ name, roles: [...held], departments: departments && [...departments] }, 200);
    });
}
