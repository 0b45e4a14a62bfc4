import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { api, tickPath } from '../shared/api/api.ts';
import { finishPath } from '../shared/api/nudge.ts';
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
    const answer = await api(parts, Date.now).fetch(
      new Request(request.url, { method: request.method, headers, ...(body && { body, duplex: 'half' }) }),
    );
    return { status: answer.status, headers: [...answer.headers], body: await answer.text() };
  });
}

/** Nothing is answered when nobody checks who asks; but for nudges, which carry a code of their own. */
function unguarded({ app }: Invocation, path: string): string | undefined {
  if (path === finishPath || app.WEBSITE_AUTH_ENABLED?.toLowerCase() === 'true') return undefined;
  if (app.AZURE_FUNCTIONS_ENVIRONMENT === 'Development') return undefined;
  return 'No authentication stands in front of this app, so it answers nobody. Deploy infra/ again: lamp deploy --from infra';
}
