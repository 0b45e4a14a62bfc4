import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { linkPath } from '../shared/alerts/links.ts';
import { apiPath, tickPath } from '../shared/api/paths.ts';
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
    // Ticks and launches need none of it, and begin half as late without.
    const [{ api }, { guardOf }] = await Promise.all([import('../shared/api/api.ts'), import('./guard.ts')]);
    const answer = await api(parts, Date.now, guardOf(parts.app)).fetch(
      new Request(request.url, { method: request.method, headers, ...(body && { body, duplex: 'half' }) }),
    );
    // Bytes, not text: a log may hold anything.
    return { status: answer.status, headers: [...answer.headers], body: new Uint8Array(await answer.arrayBuffer()) };
  });
}

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
