import { createHmac } from 'node:crypto';
import { hosts } from './hosts.ts';
import type { Reply, Request } from './server.ts';

/** Entra ID and Microsoft Graph, as far as az asks them. */
export const tenant = '99999999-9999-4999-8999-999999999999';
export const person = { id: '11111111-1111-4111-8111-111111111111', name: 'it@contoso.com' };

interface Application {
  id: string;
  appId: string;
  displayName: string;
  [field: string]: unknown;
}

interface Assigned {
  principalId: string;
  resourceId: string;
  appRoleId: string;
}

export type Entra = ReturnType<typeof entra>;

export function entra() {
  const base = `https://${hosts.login}/${tenant}`;
  const applications: Application[] = [];
  const principals: { id: string; appId: string }[] = [];
  const assigned: Assigned[] = [];
  /** Codes that were given out → answers before the token: `authorization_pending` while no one has typed it yet. */
  const codes = new Map<string, string[]>();
  /** What the next code meets before its token. */
  let before: string[] = [];
  let number = 0;
  const guid = () => `33333333-3333-4333-8333-${String(++number).padStart(12, '0')}`;

  function login({ method, path, form }: Request): Reply | undefined {
    if (path.endsWith('/.well-known/openid-configuration')) {
      return {
        body: {
          issuer: `${base}/v2.0`,
          token_endpoint: `${base}/oauth2/v2.0/token`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
          jwks_uri: `${base}/discovery/v2.0/keys`,
          tenant_region_scope: 'EU',
        },
      };
    }
    if (path.startsWith('/common/userrealm/'))
      return {
        body: {
          ver: '1.0',
          account_type: 'Managed',
          domain_name: 'contoso.com',
          cloud_instance_name: 'test',
          cloud_audience_urn: 'urn:test',
        },
      };
    if (method === 'POST' && path.endsWith('/oauth2/v2.0/devicecode')) {
      const code = guid();
      codes.set(code, [...before]);
      const message = 'To sign in, open https://microsoft.com/devicelogin and enter the code ABCD1234.';
      const verification_uri = 'https://microsoft.com/devicelogin';
      return {
        body: { user_code: 'ABCD1234', device_code: code, verification_uri, expires_in: 900, interval: 0, message },
      };
    }
    if (method !== 'POST' || !path.endsWith('/oauth2/v2.0/token')) return undefined;
    if (form.get('grant_type')?.endsWith('device_code')) {
      const waiting = codes.get(form.get('device_code') ?? '');
      const error = waiting ? waiting.shift() : 'bad_verification_code';
      if (error) return { status: 400, body: { error, error_description: `AADSTS70016: ${error}` } };
    }
    const now = Math.floor(Date.now() / 1_000);
    const scope = form.get('scope') ?? '';
    const claims = {
      aud: scope.split(' ')[0],
      iss: `${base}/v2.0`,
      tid: tenant,
      oid: person.id,
      sub: person.id,
      preferred_username: person.name,
      name: 'IT',
      iat: now,
      nbf: now,
      exp: now + 3_600,
    };
    const client_info = Buffer.from(JSON.stringify({ uid: person.id, utid: tenant })).toString('base64url');
    return {
      body: {
        token_type: 'Bearer',
        scope,
        expires_in: 3_600,
        ext_expires_in: 3_600,
        access_token: jwt(claims),
        refresh_token: 'refresh',
        id_token: jwt({ ...claims, aud: form.get('client_id') }),
        client_info,
      },
    };
  }

  function graph({ method, path, query, json }: Request): Reply | undefined {
    const route = `${method} ${path.replace(/^\/v1\.0/, '')}`;
    const filter = query.get('$filter') ?? '';
    const wanted = /'([^']*)'/.exec(filter)?.[1] ?? '';
    if (route === 'GET /me') return { body: { id: person.id, userPrincipalName: person.name } };
    if (route === 'GET /applications') {
      const found = applications.filter((one) =>
        filter.includes('appId') ? one.appId === wanted : one.displayName.startsWith(wanted),
      );
      return { body: { value: found } };
    }
    if (route === 'POST /applications') {
      const made = { ...(json as Application), id: guid(), appId: guid() };
      applications.push(made);
      return { status: 201, body: made };
    }
    if (route.startsWith('PATCH /applications/')) {
      const found = applications.find(({ id }) => path.endsWith(id));
      if (!found) return missing('application');
      Object.assign(found, json);
      return { status: 204 };
    }
    if (route === 'GET /servicePrincipals') {
      const found = principals.filter((one) => one.appId === wanted || one.id === wanted);
      return { body: { value: found } };
    }
    if (route === 'POST /servicePrincipals') {
      const made = { id: guid(), appId: String((json as Application).appId) };
      principals.push(made);
      return { status: 201, body: made };
    }
    const assignedTo = /^(GET|POST) \/servicePrincipals\/([^/]+)\/appRoleAssignedTo$/.exec(route);
    if (assignedTo) {
      const [, verb, id] = assignedTo;
      if (!principals.some((one) => one.id === id)) return missing('servicePrincipal');
      if (verb === 'GET') return { body: { value: assigned.filter(({ resourceId }) => resourceId === id) } };
      const { appRoles = [] } = applications[0] as { appRoles?: { id: string }[] };
      const asked = json as Assigned;
      // Graph takes only a role that the application has.
      if (!appRoles.some((role) => role.id === asked.appRoleId)) return missing('appRole');
      assigned.push(asked);
      return { status: 201, body: { id: guid(), ...asked } };
    }
    if (route.startsWith('GET /servicePrincipals/')) return missing('servicePrincipal');
    return undefined;
  }

  const meets = (...errors: string[]) => {
    before = errors;
  };
  return { login, graph, applications, principals, assigned, meets };
}

function missing(what: string): Reply {
  return {
    status: 404,
    body: { error: { code: 'Request_ResourceNotFound', message: `Resource '${what}' does not exist.` } },
  };
}

/** Signed so that it looks like one; no one checks it here. */
function jwt(claims: object): string {
  const parts = [{ typ: 'JWT', alg: 'HS256' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  return [...parts, createHmac('sha256', 'test').update(parts.join('.')).digest('base64url')].join('.');
}
