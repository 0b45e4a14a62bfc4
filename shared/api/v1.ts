import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { type Api, newApi, type Service } from './app.ts';
import { type Guard, roles } from './caller.ts';
import { apiPath } from './paths.ts';
import { ApiProblem, problemResponse } from './problem.ts';
import { actionRoutes } from './routes/actions.ts';
import { alertRoutes } from './routes/alerts.ts';
import { auditRoutes } from './routes/audit.ts';
import { backfillRoutes } from './routes/backfill.ts';
import { baselineRoutes } from './routes/baseline.ts';
import { clockRoutes } from './routes/clock.ts';
import { findingAnswerRoutes } from './routes/finding-answers.ts';
import { findingRoutes } from './routes/findings.ts';
import { incidentRoutes } from './routes/incidents.ts';
import { jobRoutes } from './routes/jobs.ts';
import { ownerRoutes } from './routes/owner.ts';
import { pingKeyRoutes } from './routes/ping-key.ts';
import { recordRoutes } from './routes/records.ts';
import { replayRoutes } from './routes/replays.ts';
import { runRoutes } from './routes/runs.ts';
import { serviceRoutes } from './routes/service.ts';
import { silenceRoutes } from './routes/silences.ts';

const document = {
  openapi: '3.1.0',
  info: {
    title: 'Lamplighter',
    version: '1.0.0',
    description:
      'Jobs, runs and what people do with them. Times are ISO 8601 in UTC. Errors are application/problem+json ' +
      '(RFC 9457). A list goes on at `cursor=<next>`.',
  },
  servers: [{ url: apiPath }],
  security: [{ entra: [] }],
};

/** The most that any request of this API needs. */
const largest = bodyLimit({
  maxSize: 512 * 1024,
  onError: (c) => problemResponse(c, new ApiProblem('too-large', 'expected a body of at most 512 KiB')),
});

/**
 * The API of the service, the same on one machine and in Azure. Hosts route {@link apiPath} to it.
 * @param guard who sends a request; asked before anything else
 */
export function v1(service: Service, guard: Guard): Api {
  const app = newApi();
  app.openAPIRegistry.registerComponent('securitySchemes', 'entra', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: `A token of Entra ID with one of the app roles ${roles.join(', ')}; on one machine the token file of the host`,
  });
  app.onError((error, c) => {
    if (error instanceof ApiProblem) return problemResponse(c, error);
    // hono's own, for a body that is no JSON.
    if (error instanceof HTTPException && error.status < 500) {
      return problemResponse(c, new ApiProblem('bad-request', error.message || 'expected a body of JSON'));
    }
    service.parts.emit({ type: 'trouble', doing: `answering ${c.req.method} ${c.req.path}`, error });
    c.header('retry-after', '10');
    return problemResponse(
      c,
      new ApiProblem('unavailable', 'expected the store to answer; the log of the service says why'),
    );
  });
  app.use(largest);
  app.use(async (c, next) => {
    c.header('cache-control', 'no-store');
    c.set('caller', await guard(c.req.raw));
    await next();
  });
  for (const routes of [
    jobRoutes,
    runRoutes,
    actionRoutes,
    backfillRoutes,
    incidentRoutes,
    silenceRoutes,
    alertRoutes,
    findingRoutes,
    replayRoutes,
    findingAnswerRoutes,
    baselineRoutes,
    recordRoutes,
    auditRoutes,
    serviceRoutes,
    clockRoutes,
    pingKeyRoutes,
    ownerRoutes,
  ])
    app.route('/', routes(service));
  app.doc31('/openapi.json', document);
  return app;
}

/** The answer to an address that the API does not have, or not for this method. @param path without {@link apiPath} */
export function unknownAddress(app: Api, c: Context, path: string): Response {
  const takes = (pattern: string) => new RegExp(`^${pattern.replaceAll(/:\w+/g, '[^/]+')}$`).test(path);
  const methods = app.routes.filter((route) => route.method !== 'ALL' && takes(route.path)).map(({ method }) => method);
  if (methods.length === 0) {
    const detail = `expected an address of ${apiPath}/openapi.json, found ${path}`;
    return problemResponse(c, new ApiProblem('no-such-route', detail));
  }
  const allowed = [...new Set(methods)].sort();
  c.header('allow', allowed.join(', '));
  return problemResponse(
    c,
    new ApiProblem('no-such-method', `expected ${allowed.join(' or ')}, found ${c.req.method}`),
  );
}

/** The document without a service behind it, for `docs/` and for tests. */
export function apiDocument(app: Api) {
  return app.getOpenAPI31Document(document);
}
