import { createRoute, z } from '@hono/zod-openapi';
import { ownerLeft } from '../../actions/owner.ts';
import { type Api, callerOf, newApi, type Service } from '../app.ts';
import { sees } from '../caller.ts';
import { once } from '../request.ts';
import { changes, idempotencyKey, why } from '../schema.ts';

const body = z.strictObject({
  email: z
    .string()
    .max(254)
    .regex(/^[^@\s]+@[^@\s]+$/, 'expected an e-mail address'),
  why,
});
const view = z
  .object({
    opened: z.array(z.string()).openapi({ description: 'Jobs that have an incident by this' }),
    already: z.array(z.string()).openapi({ description: 'Jobs whose incident was open' }),
  })
  .openapi('OwnerLeft');

const route = createRoute({
  method: 'post',
  path: '/owner-left',
  summary: 'A person has left: open an incident for each production job that they own; for admins',
  request: { headers: idempotencyKey, body: { content: { 'application/json': { schema: body } }, required: true } },
  responses: changes(view),
});

export function ownerRoutes(service: Service): Api {
  return newApi().openapi(route, async (c) => {
    const caller = callerOf(c, 'administer');
    const order = c.req.valid('json');
    const asked = { by: caller.name, why: order.why };
    const done = await once(service, c, caller, order, ({ at }) =>
      ownerLeft(service.parts, order.email, (job) => sees(caller, job), asked, at),
    );
    return c.json(done, 200);
  });
}
