import { lookup } from 'node:dns/promises';
import { Agent as HttpAgent, type IncomingMessage, request as plain } from 'node:http';
import { Agent as HttpsAgent, request as secure } from 'node:https';
import type { LookupFunction } from 'node:net';
import { line } from '../clean.ts';
import { ChannelError } from './channel.ts';
import { isPrivate, privateAddress } from './guard.ts';

export interface Post {
  url: URL;
  mayBePrivate: boolean;
  body: string;
  headers?: Record<string, string>;
  /** For everything together, name look-up and answer included, ms. */
  limitMs: number;
  method?: 'POST' | 'GET';
}

/** More of an answer is not read. */
const mostAnswer = 8_192;

/**
 * Posts a JSON text, once: no redirects, no private address behind a public name (looked at when it is connected to), one
 * limit for everything.
 * @throws ChannelError
 */
export async function post({ url, mayBePrivate, body, headers = {}, limitMs, method = 'POST' }: Post): Promise<void> {
  const signal = AbortSignal.timeout(limitMs);
  let answer: Answer;
  try {
    answer = await exchange({ url, mayBePrivate, body, headers, method }, signal);
  } catch (error) {
    if (error instanceof ChannelError) throw error;
    if (signal.aborted) throw new ChannelError(`${url.host} did not answer within ${limitMs / 1_000} s`, false);
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ChannelError(`${url.host} cannot be reached: ${code ?? line(message, 100)}`, false, null, error);
  }
  if (answer.status >= 200 && answer.status < 300) return;
  throw refusal(answer, url, headers.authorization);
}

interface Answer {
  status: number;
  retryAfter: string | undefined;
  /** What time it is there. */
  date: string | undefined;
  text: string;
}

function exchange(
  { url, mayBePrivate, body, headers, method }: Required<Omit<Post, 'limitMs'>>,
  signal: AbortSignal,
): Promise<Answer> {
  const isSecure = url.protocol === 'https:';
  const options = { lookup: guardedLookup(url, mayBePrivate), keepAlive: false };
  const agent = isSecure ? new HttpsAgent(options) : new HttpAgent(options);
  return new Promise((resolve, reject) => {
    // The signal alone does not cover a name server that is silent.
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    const length = method === 'GET' ? {} : { 'content-length': Buffer.byteLength(body) };
    const sent = { 'content-type': 'application/json', 'user-agent': 'lamplighter', ...length, ...headers };
    const request = (isSecure ? secure : plain)(url, { method, agent, headers: sent, signal }, (response) => {
      read(response).then(resolve, reject);
    });
    request.on('error', reject);
    request.end(method === 'GET' ? undefined : body);
  });
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > mostAnswer) break;
  }
  const text = Buffer.concat(chunks).toString('utf8', 0, mostAnswer);
  const { 'retry-after': retryAfter, date } = response.headers;
  return { status: response.statusCode ?? 0, retryAfter, date, text };
}

/** Looked at where it is connected to: a name may have another address a second later. */
function guardedLookup(url: URL, mayBePrivate: boolean): LookupFunction {
  return (host, options, done) => {
    lookup(host, { all: true }).then(
      (found) => {
        if (!mayBePrivate && found.some(({ address }) => isPrivate(address))) done(privateAddress(url.host), '', 0);
        else if (options.all) done(null, found);
        else done(null, found[0]?.address ?? '', found[0]?.family ?? 4);
      },
      (error) => done(error, '', 0),
    );
  };
}

function refusal({ status, retryAfter, date, text }: Answer, url: URL, token = ''): ChannelError {
  const passing = status === 408 || status === 425 || status === 429 || status >= 500;
  const said = line(withoutSecrets(text, url, token), 200);
  if (status >= 300 && status < 400) {
    return new ChannelError(`${url.host} answers ${status}: redirects are not followed, store the final address`, true);
  }
  return new ChannelError(`${url.host} answers ${status}${said && `: ${said}`}`, !passing, waitOf(retryAfter, date));
}

/** An answer may repeat what it was asked with, whole, or a part of it that it has read: a key of the path, a signature. */
function withoutSecrets(text: string, url: URL, token: string): string {
  const whole = [token, token.replace(/^Bearer /, ''), url.href, url.pathname + url.search, url.search, url.pathname];
  const words = [...url.pathname.split('/'), ...url.search.slice(1).split(/[&=]/), ...url.searchParams.values()];
  const secrets = [...whole, ...words.filter((one) => one.length >= 6)];
  return secrets.filter((one) => one.length > 4).reduce((left, secret) => left.replaceAll(secret, '…'), text);
}

/** `120`, or a date on the clock of the one who answers. */
function waitOf(retryAfter: string | undefined, date: string | undefined): number | null {
  if (retryAfter === undefined) return null;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const wait = Date.parse(retryAfter) - Date.parse(date ?? '');
  return Number.isNaN(wait) ? null : Math.max(wait, 0);
}
