import type { AccessToken, TokenCredential } from '@azure/identity';

/** The tenant and the identity that tokens of tests are of. */
export const tenant = '11111111-2222-3333-4444-555555555555';
export const identity = '66666666-7777-8888-9999-000000000000';

/** Gives tokens that are not signed, for whatever resource is asked for, as a managed identity would. */
export class TestCredential implements TokenCredential {
  /** What tokens were asked for. */
  readonly scopes: string[] = [];
  /** Set: there is none to be had. */
  trouble: Error | undefined;

  async getToken(scopes: string | string[]): Promise<AccessToken> {
    const scope = [scopes].flat()[0] ?? '';
    this.scopes.push(scope);
    if (this.trouble) throw this.trouble;
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      aud: scope.replace(/\/\.default$/, ''),
      iss: `https://sts.windows.net/${tenant}/`,
      iat: now - 60,
      nbf: now - 60,
      exp: now + 3_600,
      oid: identity,
      tid: tenant,
    };
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`;
    return { token, expiresOnTimestamp: claims.exp * 1_000 };
  }
}
