import { createRoute, z } from '@hono/zod-openapi';
import { ownerLeft } from '../../actions/owner.ts';
import { type Api, callerOf, newApi, type Service } from '../app.ts';
import { sees } from '../caller.ts';
import { changes, why } from '../schema.ts';

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
  request: { body: { content: { 'application/json': { schema: body } }, required: true } },
  responses: changes(view),
});

export function ownerRoutes({ parts, clock }: Service): Api {
  return newApi().openapi(route, async (c) => {
    const caller = callerOf(c, 'administer');
    const { email, why: reason } = c.req.valid('json');
    const asked = { by: caller.name, why: reason };
    return c.json(await ownerLeft(parts, email, (job) => sees(caller, job), asked, clock()), 200);
  });
}
