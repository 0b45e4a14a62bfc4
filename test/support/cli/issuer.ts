import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** Clients keep no token that ends so soon, so that each command asks anew. */
const shortly = 60;
const now = () => Math.floor(Date.now() / 1_000);

/**
 * An issuer of real tokens for an app of the tests, and the endpoint at which a machine's identity gets them (Microsoft,
 * "How to use managed identities for App Service", REST endpoint, api-version 2019-08-01).
 */
export class Issuer {
  readonly tenant = randomUUID();
  readonly client = randomUUID();
  /** What the next tokens say of their bearer. */
  claims: Record<string, unknown> = { preferred_username: 'dana@contoso.com', roles: ['admin'] };
  /** Whether the machine has an identity at all. */
  signedIn = true;
  private readonly keys;
  private readonly secret = randomUUID();
  private readonly server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://x');
    const answer = (status: number, body: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (pathname === `/${this.tenant}/discovery/v2.0/keys`) {
      const jwk = { ...(await exportJWK(this.keys.publicKey)), kid: 'key-1', alg: 'RS256', use: 'sig' };
      return answer(200, { keys: [jwk] });
    }
    if (pathname !== '/msi/token' || request.headers['x-identity-header'] !== this.secret) return answer(404, {});
    if (!this.signedIn) return answer(400, { statusCode: 400, message: 'no such identity' });
    const body = { access_token: await this.token(), expires_on: `${now() + shortly}`, token_type: 'Bearer' };
    answer(200, { ...body, resource: this.client });
  });

  private constructor(keys: Awaited<ReturnType<typeof generateKeyPair>>) {
    this.keys = keys;
  }

  static async start(): Promise<Issuer> {
    const issuer = new Issuer(await generateKeyPair('RS256'));
    issuer.server.listen(0, '127.0.0.1');
    await once(issuer.server, 'listening');
    return issuer;
  }

  get authority(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What the platform puts into the environment of a machine with an identity. */
  get environment() {
    return { IDENTITY_ENDPOINT: `${this.authority}/msi/token`, IDENTITY_HEADER: this.secret };
  }

  token(claims: Record<string, unknown> = this.claims): Promise<string> {
    const iss = `${this.authority}/${this.tenant}/v2.0`;
    const base = { iss, aud: this.client, iat: now() - 10, nbf: now() - 10, exp: now() + 3_600 };
    return new SignJWT({ ...base, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'key-1' })
      .sign(this.keys.privateKey);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
