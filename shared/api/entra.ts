import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { second } from '../instant.ts';
import { type Caller, type Guard, type Role, roles } from './caller.ts';
import { ApiProblem } from './problem.ts';

export interface EntraOptions {
  /** Of the directory whose tokens count: a GUID. */
  tenant: string;
  /** Application id of the app registration that the tokens are for. */
  client: string;
  /** Application ids of the programs that may ask for a token: the Azure CLI, a pipeline; left out: any. */
  callers?: readonly string[];
  /** Where the keys and issuers of Entra ID are; other clouds have their own. */
  authority?: string;
  /** Issuer of tokens of version 1.0, which `az account get-access-token` may still give. */
  oldIssuer?: string;
}

/**
 * Checks the caller's token itself (signature, issuer, audience, time, roles), whatever stands in front of the app: a
 * header that a platform would have set can be forged by the one that reaches the app without it.
 *
 * Roles are app roles: `viewer`, `operator`, `admin`, `auditor`; with a department after a colon (`operator:Sales`) they
 * hold for its jobs alone. Source of the claims: Microsoft, "Access token claims reference".
 */
export function entraGuard(options: EntraOptions): Guard {
  const { tenant, client, authority = 'https://login.microsoftonline.com' } = options;
  const oldIssuer = options.oldIssuer ?? 'https://sts.windows.net';
  const keys = createRemoteJWKSet(new URL(`${authority}/${tenant}/discovery/v2.0/keys`), {
    timeoutDuration: 5 * second,
    cooldownDuration: 30 * second,
  });
  const expected = {
    issuer: [`${authority}/${tenant}/v2.0`, `${oldIssuer}/${tenant}/`],
    audience: [client, `api://${client}`],
    algorithms: ['RS256'],
    requiredClaims: ['exp', 'iat'],
    clockTolerance: 60,
  };
  return async (request) => {
    const token = /^Bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    if (token === undefined) {
      throw new ApiProblem('not-signed-in', 'expected "Authorization: Bearer <token>" of Entra ID: sign in first');
    }
    const { payload } = await jwtVerify(token, keys, expected).catch((error) => {
      throw refusal(error);
    });
    // A token that another program got for its user carries that user's roles as well.
    const by = payload.azp ?? payload.appid;
    if (options.callers && (typeof by !== 'string' || !options.callers.includes(by))) {
      throw new ApiProblem(
        'not-signed-in',
        `expected a token that one of ${options.callers.join(', ')} asked for, found ${by ?? 'none'}: sign in with az login`,
      );
    }
    return callerOf(payload);
  };
}

/** Keys that cannot be fetched say nothing of the token. */
function refusal(error: unknown): unknown {
  if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) return error;
  if (error.code === 'ERR_JOSE_GENERIC') return error;
  return new ApiProblem('not-signed-in', `expected a valid token for this app: ${error.message}; sign in again`);
}

/** @throws ApiProblem when the token names no one */
function callerOf(payload: JWTPayload): Caller {
  const claim = (...names: string[]) => names.map((name) => payload[name]).find((value) => typeof value === 'string');
  const name = claim('preferred_username', 'upn', 'unique_name', 'email', 'azp', 'appid', 'oid', 'sub');
  if (name === undefined) throw new ApiProblem('not-signed-in', 'expected a token that names its bearer');
  const held = (Array.isArray(payload.roles) ? payload.roles : []).filter((role) => typeof role === 'string');
  const read = held.map(readRole).filter((one) => one !== undefined);
  const everywhere = read.filter(({ department }) => department === null);
  if (everywhere.length > 0) return { name, roles: everywhere.map(({ role }) => role), departments: null };
  // Of several departments: what is held in each of them, at least the right to look.
  const departments = [...new Set(read.map(({ department }) => department as string))];
  if (departments.length === 0) return { name, roles: [], departments };
  const inAll = (role: Role) =>
    departments.every((department) => read.some((one) => one.role === role && one.department === department));
  return { name, roles: roles.filter((role) => role === 'viewer' || inAll(role)), departments };
}

function readRole(text: string): { role: Role; department: string | null } | undefined {
  const [, name, department] = /^([a-z]+)(?::(.+))?$/.exec(text) ?? [];
  const role = roles.find((one) => one === name);
  return role && { role, department: department ?? null };
}
