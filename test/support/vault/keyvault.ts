import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { type Certificate, selfSigned, trust } from '../storage/certificate.ts';
import { tenant } from '../storage/credential.ts';

/**
 * The part of Key Vault that lists the versions of a secret, as Microsoft publishes it: azure-rest-api-specs,
 * specification/keyvault/data-plane/Secrets/stable/2026-04-01/secrets.json, operation GetSecretVersions, read field by
 * field. What the document does not say is from what the service has been seen to answer: no versions rather than 404 for
 * a secret that is not there (Azure's own tests of its JavaScript SDK expect that), the bodies of 403 and 429.
 */
const unixTime = z.int().nonnegative();
const attributes = z.strictObject({
  enabled: z.boolean().optional(),
  nbf: unixTime.optional(),
  exp: unixTime.optional(),
  created: unixTime.optional(),
  updated: unixTime.optional(),
  recoverableDays: z.int().min(0).max(90).optional(),
  recoveryLevel: z.string().optional(),
});
const secretItem = z.strictObject({
  id: z.url().optional(),
  attributes: attributes.optional(),
  tags: z.record(z.string(), z.string()).optional(),
  contentType: z.string().optional(),
  managed: z.boolean().optional(),
});
const listResult = z.strictObject({ value: z.array(secretItem).optional(), nextLink: z.url().nullable().optional() });
const innerError = z.strictObject({ code: z.string(), message: z.string().optional() });
const keyVaultError = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), innererror: innerError.optional() }),
});
const query = z.strictObject({
  'api-version': z.enum(['7.4', '7.5', '7.6', '2025-07-01', '2026-04-01']),
  maxresults: z
    .string()
    .regex(/^([1-9]|1\d|2[0-5])$/)
    .optional(),
  /** Only ever in a link that the vault itself gave. */
  $skiptoken: z.string().optional(),
});

/** Times are unix seconds, as in the protocol. */
export interface TestVersion {
  created: number;
  enabled?: boolean;
  exp?: number;
  nbf?: number;
}
type Refusal = { status: number; code: string; message: string; inner?: string; retryAfter?: string };
export const forbidden: Refusal = {
  status: 403,
  code: 'Forbidden',
  message: `Caller is not authorized to perform action on resource.\r\nAction: 'Microsoft.KeyVault/vaults/secrets/readMetadata/action'`,
  inner: 'ForbiddenByRbac',
};
export const throttled: Refusal = {
  status: 429,
  code: 'Throttled',
  message: 'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached',
};

/** A vault over https that asks for a token, checks it and each request, and never says a value. */
export class TestKeyVault {
  readonly secrets = new Map<string, TestVersion[]>();
  /** Answered requests, without those that were only reported to bring a token. */
  readonly asked: string[] = [];
  /** Refusals for the next requests, whatever they ask for; the last stays when `stuck`. */
  refusals: Refusal[] = [];
  stuck = false;
  /** Nothing is answered. */
  silent = false;
  pageSize = 25;
  url = '';
  readonly certificate: Certificate = selfSigned();
  private readonly server: Server;

  private constructor() {
    this.server = createServer({ key: this.certificate.key, cert: this.certificate.cert }, (from, to) => {
      if (!this.silent) this.answer(from, to);
    });
  }

  static async start(): Promise<TestKeyVault> {
    const vault = new TestKeyVault();
    trust(vault.certificate);
    vault.server.listen(0, '127.0.0.1');
    await once(vault.server, 'listening');
    vault.url = `https://127.0.0.1:${(vault.server.address() as AddressInfo).port}`;
    return vault;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.certificate.remove();
  }

  /** The name that a version of a secret has: 32 hexadecimal digits that say nothing about its age. */
  version(secret: string, index: number): string {
    return createHash('md5').update(`${secret} ${index}`).digest('hex');
  }

  private answer(from: IncomingMessage, to: ServerResponse): void {
    const url = new URL(from.url ?? '', this.url);
    if (!isOurs(from.headers.authorization)) {
      const authority = `authorization="https://login.microsoftonline.com/${tenant}"`;
      to.setHeader('WWW-Authenticate', `Bearer ${authority}, resource="https://vault.azure.net"`);
      refuse(to, { status: 401, code: 'Unauthorized', message: 'AKV10000: Request is missing a Bearer or PoP token.' });
      return;
    }
    this.asked.push(`${from.method} ${url.pathname}`);
    const secret = /^\/secrets\/([0-9a-zA-Z-]{1,127})\/versions$/.exec(url.pathname)?.[1]?.toLowerCase();
    const read = query.safeParse(Object.fromEntries(url.searchParams));
    const refusal = this.stuck ? this.refusals[0] : this.refusals.shift();
    if (refusal) refuse(to, refusal);
    else if (!read.success) refuse(to, { status: 400, code: 'BadParameter', message: z.prettifyError(read.error) });
    else if (from.method !== 'GET' || secret === undefined) refuse(to, forbidden);
    else reply(to, 200, listResult.parse(this.page(secret, read.data)));
  }

  private page(secret: string, { $skiptoken = '0', maxresults = `${this.pageSize}` }: z.infer<typeof query>) {
    const [from, size] = [Number($skiptoken), Number(maxresults)];
    const items = (this.secrets.get(secret) ?? [])
      .map(({ created, enabled = true, exp, nbf }, index) => ({
        id: `${this.url}/secrets/${secret}/${this.version(secret, index)}`,
        attributes: {
          enabled,
          ...(exp === undefined ? {} : { exp }),
          ...(nbf === undefined ? {} : { nbf }),
          ...{ created, updated: created, recoveryLevel: 'Recoverable', recoverableDays: 90 },
        },
        tags: {},
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const next = `${this.url}/secrets/${secret}/versions?api-version=2026-04-01&$skiptoken=${from + size}`;
    return { value: items.slice(from, from + size), nextLink: from + size < items.length ? next : null };
  }
}

function isOurs(authorization: string | undefined): boolean {
  try {
    const part = /^Bearer [^.]+\.([^.]+)\./.exec(authorization ?? '')?.[1] ?? '';
    const { aud, tid, exp } = JSON.parse(Buffer.from(part, 'base64url').toString());
    return aud === 'https://vault.azure.net' && tid === tenant && exp * 1_000 > Date.now();
  } catch {
    return false;
  }
}

function refuse(to: ServerResponse, { status, code, message, inner, retryAfter }: Refusal): void {
  if (retryAfter !== undefined) to.setHeader('Retry-After', retryAfter);
  const innererror = inner === undefined ? {} : { innererror: { code: inner } };
  reply(to, status, keyVaultError.parse({ error: { code, message, ...innererror } }));
}

function reply(to: ServerResponse, status: number, body: unknown): void {
  to.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}
