import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Launches, Received } from '../../../shared/store/launches.ts';
import { type Answer, startWorker, timer, type Worker } from './worker.ts';

/** As host.json has them. */
const together = 12;
const mostTries = 5;
/** The host renews it while a message is worked on; here nothing takes so long. */
const hiddenSeconds = 600;

/**
 * Does for a function app what the Functions host does: calls its timers, hands it the messages of its queue and gives
 * them back when it fails, and stands before its HTTP with Entra authentication.
 */
export class FunctionsHost {
  /** What invocations failed with. */
  readonly errors: string[] = [];
  /** What they said. */
  readonly lines: string[] = [];
  ticks = 0;
  launches = 0;
  /** Requests that were turned away for want of a token. */
  refused = 0;
  private worker: Worker | undefined;
  private readonly stopping = new AbortController();
  private readonly busy = new Set<Promise<void>>();
  private loops: Promise<unknown> | undefined;
  private readonly server = createServer((request, response) => {
    this.answer(request, response).catch((error) => response.destroy(error));
  });

  /** Listens: the address of the app is part of its settings. */
  static async open(): Promise<FunctionsHost> {
    const host = new FunctionsHost();
    host.server.listen(0, '127.0.0.1');
    await once(host.server, 'listening');
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Loads the app and calls it from then on. @param everyMs between two ticks; Azure has a minute */
  async run(
    folder: string,
    env: Record<string, string>,
    queue: Launches,
    everyMs: number,
    flags: string[],
  ): Promise<void> {
    this.worker = await startWorker(folder, env, flags);
    if (this.worker.failure || this.worker.functions.length !== 5)
      throw new Error(`not loaded: ${this.worker.failure}`);
    this.loops = Promise.all([this.timers(everyMs), this.listen(queue)]);
  }

  async call(name: string): Promise<Answer> {
    const answer = await this.invoke({ name, data: timer });
    return answer;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loops;
    await Promise.all(this.busy);
    await this.worker?.kill();
    this.server.closeAllConnections();
    this.server.close();
  }

  private async invoke(call: Parameters<Worker['invoke']>[0]): Promise<Answer> {
    if (!this.worker) throw new Error('no app is loaded');
    const traceParent = `00-${crypto.randomUUID().replaceAll('-', '')}-${'1'.repeat(16)}-01`;
    const answer = await this.worker.invoke({ traceParent, ...call });
    this.lines.push(...answer.lines.map(({ line }) => line));
    if (answer.error) this.errors.push(`${call.name}: ${answer.error}`);
    return answer;
  }

  private async timers(everyMs: number): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.call('tick');
      this.ticks += 1;
      await this.call('watch');
      await sleep(everyMs, undefined, { signal }).catch(() => {});
    }
  }

  private async listen(queue: Launches): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const room = together - this.busy.size;
      const taken = room > 0 ? await queue.take(room, hiddenSeconds) : [];
      for (const one of taken) {
        const working = this.hand(one, queue).finally(() => this.busy.delete(working));
        this.busy.add(working);
      }
      if (taken.length === 0) await sleep(100, undefined, { signal }).catch(() => {});
    }
  }

  private async hand({ text, count, done }: Received, queue: Launches): Promise<void> {
    this.launches += 1;
    const { error } = await this.invoke({ name: 'launch', data: { string: text } });
    if (error && count < mostTries) return;
    if (error) await queue.putPoison(text);
    await done();
  }

  /** Entra authentication as infra/ sets it up: a token, or no answer; but for nudges. */
  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '', this.url);
    if (pathname !== '/api/finish' && !request.headers.authorization?.startsWith('Bearer ')) {
      this.refused += 1;
      response.writeHead(401).end();
      return;
    }
    const body = await buffer(request);
    const http = {
      url: `${this.url}${request.url}`,
      method: request.method ?? 'GET',
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, `${value}`])),
      body: { bytes: body },
    };
    const { returnValue, error } = await this.invoke({ name: 'http', data: { http } });
    const found = returnValue?.http;
    response.writeHead(error ? 500 : Number(found?.statusCode), found?.headers);
    response.end(found?.body?.bytes ? Buffer.from(found.body.bytes as Uint8Array) : undefined);
  }
}
