import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { token as armToken } from '../arm/arm-admission.ts';
import { TestCredential } from './credential.ts';

/**
 * Where an app in Azure gets the tokens of its identity (Microsoft, "How to use managed identities for App Service",
 * REST endpoint, api-version 2019-08-01): GET with the resource, and the header that only the app knows.
 */
export class ManagedIdentity {
  /** Resources that tokens were given for. */
  readonly asked: string[] = [];
  private readonly secret = randomBytes(16).toString('hex');
  private readonly tokens = new TestCredential();
  private readonly server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const resource = searchParams.get('resource') ?? '';
    const known = request.headers['x-identity-header'] === this.secret;
    const right = known && pathname === '/msi/token' && searchParams.get('api-version') === '2019-08-01';
    if (!right || searchParams.get('client_id') !== this.clientId) {
      response.writeHead(400).end('{"statusCode":400,"message":"no such identity"}');
      return;
    }
    this.asked.push(resource);
    const { token, expiresOnTimestamp } = await this.tokens.getToken(`${resource}/.default`);
    const given = /\.(azure\.com|azure\.net)\/?$/.test(new URL(resource).origin) ? token : armToken;
    const body = {
      access_token: given,
      expires_on: `${Math.floor(expiresOnTimestamp / 1_000)}`,
      resource,
      token_type: 'Bearer',
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  readonly clientId = '11111111-1111-1111-1111-111111111111';

  static async start(): Promise<ManagedIdentity> {
    const identity = new ManagedIdentity();
    identity.server.listen(0, '127.0.0.1');
    await once(identity.server, 'listening');
    return identity;
  }

  /** What the platform puts into the environment. */
  get environment() {
    const { port } = this.server.address() as AddressInfo;
    return { IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/msi/token`, IDENTITY_HEADER: this.secret };
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
