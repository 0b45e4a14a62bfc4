import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { type Certificate, selfSigned } from '../storage/certificate.ts';

/** An item as the ingestion endpoint takes it, version 2.1 of its `track` operation; events only. */
const item = z.object({
  ver: z.literal(1),
  name: z.string(),
  time: z.iso.datetime(),
  sampleRate: z.number(),
  iKey: z.guid(),
  tags: z.record(z.string(), z.string()),
  data: z.object({
    baseType: z.string(),
    baseData: z.object({
      ver: z.literal(2),
      name: z.string().max(512),
      properties: z.record(z.string().max(150), z.string().max(8_192)),
      measurements: z.record(z.string().max(150), z.number()),
    }),
  }),
});
export type Item = z.infer<typeof item>;

export type Behaviour = 'accept' | 'forbid' | 'hang';
/** A status for an item that is not taken; undefined: it is taken. */
export type Verdict = (item: Item, request: number) => number | undefined;

/** Takes telemetry over https, as Application Insights does. */
export class Ingestion {
  readonly items: Item[] = [];
  /** The `Authorization` of each request; undefined: there was none. */
  readonly authorizations: (string | undefined)[] = [];
  /** What was asked for that is not `POST /v2.1/track`. */
  readonly strange: string[] = [];
  behave: Behaviour = 'accept';
  verdict: Verdict = () => undefined;
  readonly certificate: Certificate = selfSigned();
  private readonly sockets = new Set<Duplex>();
  private server: Server | undefined;

  async listen(): Promise<string> {
    const { key, cert } = this.certificate;
    this.server = createServer({ key, cert }, async (request, response) => {
      const body = await buffer(request);
      this.authorizations.push(request.headers.authorization);
      const asked = `${request.method} ${request.url}`;
      if (asked !== 'POST /v2.1/track') this.strange.push(asked);
      if (this.behave === 'hang') return;
      if (this.behave === 'forbid') {
        response.writeHead(403).end('{"itemsReceived":0,"itemsAccepted":0,"errors":[]}');
        return;
      }
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
      const items = z.array(item).parse(JSON.parse(text));
      const number = this.authorizations.length;
      const errors = items.flatMap((one, index) => {
        const statusCode = this.verdict(one, number);
        if (statusCode !== undefined) return [{ index, statusCode, message: `no: ${statusCode}` }];
        this.items.push(one);
        return [];
      });
      response.writeHead(errors.length === 0 ? 200 : 206, { 'content-type': 'application/json' });
      const itemsAccepted = items.length - errors.length;
      response.end(JSON.stringify({ itemsReceived: items.length, itemsAccepted, errors }));
    });
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
    const { port } = this.server.address() as AddressInfo;
    const instrumentation = '00000000-0000-4000-8000-000000000001';
    return `InstrumentationKey=${instrumentation};IngestionEndpoint=https://127.0.0.1:${port}/`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server?.close(resolve) ?? resolve(undefined));
    await this.certificate.remove();
  }
}
