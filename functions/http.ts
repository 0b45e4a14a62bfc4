import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { linkPath } from '../shared/alerts/links.ts';
import { api, tickPath } from '../shared/api/api.ts';
import type { Guard } from '../shared/api/caller.ts';
import { entraGuard } from '../shared/api/entra.ts';
import { ApiProblem } from '../shared/api/problem.ts';
import { apiPath } from '../shared/api/v1.ts';
import { finishPath } from '../shared/executors/nudge.ts';
import { pingPath } from '../shared/executors/ping-key.ts';
import { type Invocation, invocation } from './invocation.ts';
import { registered } from './registration.ts';

/** The API of the service, which is the same on one machine. */
export function http(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  return invocation(context, async (parts) => {
    const { pathname } = new URL(request.url);
    const refusal = unguarded(parts, pathname);
    if (refusal) return { status: 503, jsonBody: { error: refusal } };
    if (pathname === tickPath) await registered(parts);
    const body = request.body as ReadableStream<Uint8Array> | null;
    const headers = new Headers([...request.headers]);
    const answer = await api(parts, Date.now, guardOf(parts)).fetch(
      new Request(request.url, { method: request.method, headers, ...(body && { body, duplex: 'half' }) }),
    );
    // Bytes, not text: a log may hold anything.
    return { status: answer.status, headers: [...answer.headers], body: new Uint8Array(await answer.arrayBuffer()) };
  });
}

let known: Guard | undefined;

/** Of this process: it keeps the keys that tokens are checked with. */
function guardOf({ app }: Invocation): Guard {
  const { LAMPLIGHTER_AUTH_TENANT: tenant, LAMPLIGHTER_AUTH_CLIENT: client } = app;
  const callers = app.LAMPLIGHTER_AUTH_CALLERS?.split(',').map((id) => id.trim());
  if (tenant && client) known ??= entraGuard({ tenant, client, ...(callers && { callers }) });
  return known ?? closed;
}

/** Fails closed: an app that does not know whose tokens count answers no one. */
const closed: Guard = async () => {
  const settings = 'LAMPLIGHTER_AUTH_TENANT and LAMPLIGHTER_AUTH_CLIENT';
  throw new ApiProblem(
    'not-signed-in',
    `expected ${settings} to be set: deploy the infrastructure again with lamp deploy`,
  );
};

/** Nothing is answered when no one checks who asks; but for nudges, which carry a code of their own. */
function unguarded({ app }: Invocation, path: string): string | undefined {
  // The API checks the token of its caller itself; a link of an alert is one.
  if (path.startsWith(`${linkPath}/`)) return undefined;
  // A ping carries the key of its job.
  if (path.startsWith(`${pingPath}/`)) return undefined;
  if (path === finishPath || path.startsWith(`${apiPath}/`) || app.WEBSITE_AUTH_ENABLED?.toLowerCase() === 'true')
    return undefined;
  if (app.AZURE_FUNCTIONS_ENVIRONMENT === 'Development') return undefined;
  return 'No authentication stands in front of this app, so it answers no one. Deploy infra/ again: lamp deploy --from infra';
}
