import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** What the way to storage does to requests right now. Rates are shares of requests, 0–1. */
export interface Weather {
  /** No one answers: connections are cut at once. */
  away: boolean;
  /** Taken and never answered: the connection stays open and silent. */
  silent: number;
  /** Answered with one of `statuses` and not carried out. */
  refuse: number;
  /** Carried out, and the answer lost: the connection is cut, or a 500 comes instead. */
  lose: number;
  /** Carried out twice; the second answer is given. */
  repeat: number;
  /** Held back for up to `delayMs` before it is carried out. */
  delay: number;
  delayMs: number;
}

export const fair: Weather = { away: false, silent: 0, refuse: 0, lose: 0, repeat: 0, delay: 0, delayMs: 0 };

const statuses = [409, 412, 429, 500, 503];

export interface StorageProxy {
  port: number;
  /** How often each kind of fault was done to a request. */
  counts: Record<string, number>;
  close(): void;
}

/** Stands between a client and one port of Azurite and does to requests what a bad day in a data centre does. */
export async function proxy(
  target: number,
  weather: () => Weather,
  random: () => number,
  poisoned: ReadonlySet<string> = new Set(),
): Promise<StorageProxy> {
  const counts: Record<string, number> = {};
  const count = (kind: string) => {
    counts[kind] = (counts[kind] ?? 0) + 1;
  };
  const server: Server = createServer(async (request, response) => {
    const now = weather();
    if (now.away) {
      count('away');
      request.socket.destroy();
      return;
    }
    const body = await read(request);
    if (writesRuns(request, body, poisoned)) {
      count('poisoned');
      refuse(response, 400);
      return;
    }
    if (random() < now.delay) {
      count('delayed');
      await new Promise((resolve) => setTimeout(resolve, random() * now.delayMs));
    }
    if (random() < now.silent) {
      count('silent');
      return;
    }
    const roll = random();
    if (roll < now.refuse) {
      count('refused');
      refuse(response, statuses[Math.floor(random() * statuses.length)] ?? 500);
      return;
    }
    const first = await send(target, request, body);
    if (!first) {
      request.socket.destroy();
      return;
    }
    if (roll < now.refuse + now.lose) {
      count('lost');
      if (random() < 0.5) request.socket.destroy();
      else refuse(response, 500);
      return;
    }
    const repeated = roll < now.refuse + now.lose + now.repeat;
    if (repeated) count('repeated');
    const answer = repeated ? await send(target, request, body) : first;
    if (!answer) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  });
  server.keepAliveTimeout = 30_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    counts,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Whether it writes a run of one of these jobs: the row is of its partition. */
function writesRuns({ method, url = '' }: IncomingMessage, body: Buffer, jobs: ReadonlySet<string>): boolean {
  if (jobs.size === 0 || method === 'GET' || method === 'HEAD' || method === 'DELETE') return false;
  const text = `${decodeURIComponent(url)}\n${body}`;
  return /\/runs(\(|\?|\s|$)/m.test(text) && [...jobs].some((job) => text.includes(job));
}

/** A way through proxies to each port of a store on this machine. */
export async function throughProxies(
  direct: string,
  weather: () => Weather,
  random: () => number,
  poisoned: ReadonlySet<string>,
): Promise<{ connection: string; proxies: StorageProxy[] }> {
  const proxies: StorageProxy[] = [];
  let connection = direct;
  for (const [whole, port] of direct.matchAll(/127\.0\.0\.1:(\d+)/g)) {
    const one = await proxy(Number(port), weather, random, poisoned);
    proxies.push(one);
    connection = connection.replace(whole, `127.0.0.1:${one.port}`);
  }
  return { connection, proxies };
}

interface Answer {
  status: number;
  headers: string[];
  body: Buffer;
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch {
    // The client has gone; what it sent so far is not a request.
  }
  return Buffer.concat(chunks);
}

function send(port: number, from: IncomingMessage, body: Buffer): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const headers = { ...from.headers };
    delete headers['transfer-encoding'];
    headers['content-length'] = String(body.length);
    const options = { host: '127.0.0.1', port, method: from.method, path: from.url, headers };
    const request = forward(options, async (response) => {
      const answer = await read(response);
      const kept = response.rawHeaders.flatMap((name, at, all) =>
        at % 2 === 0 && !/^(transfer-encoding|connection|keep-alive|content-length)$/i.test(name)
          ? [name, all[at + 1] ?? '']
          : [],
      );
      const head = from.method === 'HEAD';
      const length = head ? (response.headers['content-length'] ?? '0') : String(answer.length);
      resolve({ status: response.statusCode ?? 500, headers: [...kept, 'content-length', length], body: answer });
    });
    request.once('error', () => resolve(undefined));
    request.end(body);
  });
}

/** Without the codes that mean something: a bare status is no answer about the row or the blob. */
function refuse(response: ServerResponse, status: number): void {
  const body = JSON.stringify({
    'odata.error': { code: 'Injected', message: { lang: 'en', value: 'injected fault' } },
  });
  response.writeHead(status, { 'content-type': 'application/json', 'x-ms-error-code': 'Injected' });
  response.end(body);
}
