import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'vitest';
import { type Certificate, selfSigned, trust } from './certificate.ts';

const challenge = 'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"';

/** How a server fails its callers. */
export const failures = {
  'never answers': () => {},
  'resets the connection': (_, response) => void response.socket?.destroy(),
  'asks to wait an hour': (_, response) => void response.writeHead(503, { 'retry-after': '3600' }).end('{}'),
  'asks to wait an hour, in milliseconds': (_, response) =>
    void response.writeHead(503, { 'x-ms-retry-after-ms': '3600000' }).end('{}'),
  'is throttled for an hour': (_, response) => void response.writeHead(429, { 'retry-after': '3600' }).end('{}'),
  /** As Key Vault answers a request that brings none; the others bring theirs unasked. */
  'wants a token': (_, response) => void response.writeHead(401, { 'www-authenticate': challenge }).end('{}'),
  'stops in the middle of the body': (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000', etag: '"1"' });
    response.write('{"value":[');
  },
} satisfies Record<string, (request: IncomingMessage, response: ServerResponse) => void>;

export type Failure = keyof typeof failures;

/** A server over TLS that fails each request of the test in that way; its address, and what its callers must trust. */
export async function failing(
  how: Failure,
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
): Promise<{ url: string; certificate: Certificate; asked: () => number }> {
  const certificate = selfSigned();
  trust(certificate);
  let asked = 0;
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    asked += 1;
    request.resume();
    failures[how](request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await certificate.remove();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, certificate, asked: () => asked };
}
