import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { generate } from 'selfsigned';
import { domain, hosts } from './hosts.ts';

export interface Request {
  method: string;
  host: string;
  path: string;
  query: URLSearchParams;
  json: unknown;
  form: URLSearchParams;
  authorization: string | undefined;
}

export interface Reply {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface CloudServer {
  port: number;
  /** PEM, to be trusted by clients. */
  certificate: string;
  /** Every request, as `METHOD host path?query → status`. */
  asked: string[];
  close(): Promise<void>;
}

/** One https server for all hosts of the cloud. @param answer undefined: 501, and seen in `asked` */
export async function cloudServer(answer: (request: Request) => Reply | undefined): Promise<CloudServer> {
  const names = [
    ...Object.values(hosts),
    ...Object.values(hosts).map((host) => `*.${host}`),
    `*.blob.${hosts.storage}`,
  ];
  const { private: key, cert } = await generate([{ name: 'commonName', value: domain }], {
    keyType: 'ec',
    curve: 'P-256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: names.map((value) => ({ type: 2 as const, value })) },
    ],
  });
  const asked: string[] = [];
  const server: Server = createServer({ key, cert }, async (request, response) => {
    const url = new URL(request.url ?? '', `https://${request.headers.host}`);
    const body = await text(request);
    const isJson = /json/.test(request.headers['content-type'] ?? '');
    const given: Request = {
      method: request.method ?? '',
      host: url.hostname,
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      json: isJson && body !== '' ? JSON.parse(strict(body)) : undefined,
      form: new URLSearchParams(isJson ? '' : body),
      authorization: request.headers.authorization,
    };
    const reply = answer(given) ?? {
      status: 501,
      body: { error: { code: 'NotPlayed', message: `${request.method} ${url}` } },
    };
    const status = reply.status ?? 200;
    asked.push(`${request.method} ${url.hostname.split('.')[0]} ${url.pathname}${url.search} → ${status}`);
    const content =
      reply.body === undefined ? undefined : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      ...(content !== undefined && { 'content-length': String(Buffer.byteLength(content)) }),
      ...reply.headers,
    });
    if (request.method === 'HEAD') response.end();
    else response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    certificate: cert,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** az puts a template into its request as it is, under a name without quotes; Azure reads that. */
function strict(body: string): string {
  return body.replace(/, template:\{/, ', "template":{');
}
