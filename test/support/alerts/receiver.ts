import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Answer = (response: ServerResponse, request: Received) => void;

export const answers = {
  status:
    (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
    (response) =>
      response.writeHead(code, headers).end(body),
  /** Takes the request and never answers. */
  silence: (() => {}) as Answer,
  /** Says that it is fine, and never ends saying so. */
  endlessBody: ((response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('a');
  }) as Answer,
  hangUp: ((response) => response.socket?.destroy()) as Answer,
};

/** A real HTTP endpoint that takes messages, and answers as a test wants. */
export async function openReceiver(answer: Answer = answers.status(202)) {
  const received: Received[] = [];
  const receiver = {
    received,
    answer,
    url: '',
    host: '',
    close: async () => {},
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const one = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() };
    received.push(one);
    receiver.answer(response, one);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  receiver.host = `127.0.0.1:${port}`;
  receiver.url = `http://${receiver.host}/workflows/s3cretPath/run?sig=s3cretSignature`;
  receiver.close = async () => {
    server.close();
    server.closeAllConnections();
  };
  return receiver;
}
export type Receiver = Awaited<ReturnType<typeof openReceiver>>;
