import { createRoute, z } from '@hono/zod-openapi';
import { pingKey, pingPath } from '../../executors/ping-key.ts';
import { type Api, callerOf, knownJob, newApi, type Service } from '../app.ts';
import { ApiProblem } from '../problem.ts';
import { changes, jobParam } from '../schema.ts';

const view = z
  .object({
    job: z.string(),
    path: z.string().openapi({ description: 'The address without the service: /start, /success or /fail is added' }),
    key: z.string().openapi({ description: 'For the header authorization: Bearer <key>; a secret' }),
  })
  .openapi('PingKey');

const route = createRoute({
  method: 'get',
  path: '/jobs/{job}/ping-key',
  summary: 'The key with which an external job reports its runs; for admins',
  request: { params: z.object({ job: jobParam }) },
  responses: changes(view),
});

export function pingKeyRoutes(service: Service): Api {
  return newApi().openapi(route, async (c) => {
    const caller = callerOf(c, 'administer');
    const { name, deployed } = await knownJob(service, caller, c.req.valid('param').job);
    if (!deployed?.job.external) {
      throw new ApiProblem(
        'conflict',
        `expected an external job, ${name} is none: write external: true in its job.yaml`,
      );
    }
    const key = pingKey(await service.parts.store.keys('ping'), name);
    return c.json({ job: name, path: `${pingPath}/${name}`, key }, 200);
  });
}
