import { createRoute, z } from '@hono/zod-openapi';
import { type AuditReport, verifyAudit } from '../../actions/verify-audit.ts';
import { type Head, headText, readHead } from '../../run/audit-chain.ts';
import { type Api, callerOf, newApi, type Service } from '../app.ts';
import { ApiProblem } from '../problem.ts';
import { answers } from '../schema.ts';

const headView = z
  .object({
    day: z.string(),
    entry: z.int(),
    head: z.string().openapi({ description: 'Keep it where no one of this installation can write' }),
  })
  .openapi('AuditHead');

const brokenView = z
  .object({
    kind: z.enum(['changed', 'removed', 'inserted', 'reordered']),
    entry: z.int().nullable().openapi({ description: 'Null: what was inserted has no number' }),
    day: z.string(),
    text: z.string(),
  })
  .openapi('BrokenLink');

export const auditView = z
  .object({
    entries: z.int().openapi({ description: 'That were looked at' }),
    heads: z.array(headView).openapi({ description: 'The last entry of each day' }),
    broken: z.array(brokenView).openapi({ description: 'In the order of the chain; empty: every link holds' }),
    unlisted: z.int().openapi({ description: 'Entries that the list of their job does not show yet' }),
    older: z.int().openapi({ description: 'Events from before there was a chain: nothing vouches for them' }),
  })
  .openapi('AuditReport');

const day = z.iso.date('expected a day such as 2026-11-28').optional();

const verify = createRoute({
  method: 'get',
  path: '/audit/verify',
  summary: 'Whether every link of the audit holds; for auditors and admins of the whole installation',
  request: {
    query: z.object({
      from: day.openapi({ description: 'First day, UTC; left out: from the first entry' }),
      to: day.openapi({ description: 'Last day, UTC; left out: to the last entry' }),
      head: z
        .string()
        .regex(/^\d{4}-\d\d-\d\d\.[1-9]\d{0,11}\.[0-9a-f]{64}$/, 'expected a head as an earlier check printed it')
        .optional()
        .openapi({ description: 'One that was kept elsewhere' }),
    }),
  },
  responses: answers(auditView),
});

export function auditRoutes({ parts, clock }: Service): Api {
  return newApi().openapi(verify, async (c) => {
    const caller = callerOf(c, 'audit');
    if (caller.departments !== null) {
      const detail = `expected a role for all departments, ${caller.name} has one for ${caller.departments.join(', ')}: the chain is of all jobs`;
      throw new ApiProblem('not-allowed', detail);
    }
    const { from, to, head } = c.req.valid('query');
    const kept = head === undefined ? undefined : readHead(head);
    return c.json(auditJson(await verifyAudit(parts, { from, to, kept: kept ? [kept] : [] }, clock())), 200);
  });
}

function auditJson({ entries, heads, broken, unlisted, older }: AuditReport): z.infer<typeof auditView> {
  return { entries, heads: heads.map(headJson), broken: [...broken], unlisted, older };
}

function headJson(head: Head): z.infer<typeof headView> {
  return { day: head.day, entry: head.number, head: headText(head) };
}
