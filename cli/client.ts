import { z } from 'zod';
import { bounded } from '../shared/clients/credential.ts';
import { within } from '../shared/clients/limit.ts';
import { minute } from '../shared/instant.ts';
import { type App, findApp } from './app.ts';
import type { Home } from './home.ts';
import { Refusal } from './refusal.ts';

/** The API of an installation: of the host in this folder, or of an app in Azure. Paths begin behind `/api/v1`. */
export interface Client {
  /** For messages: a folder, or an address. */
  place: string;
  get<T>(path: string, shape: z.ZodType<T>): Promise<T>;
  /** @param key for what must not be done twice when it is sent twice */
  post<T>(path: string, body: unknown, shape: z.ZodType<T>, key?: string): Promise<T>;
  /** A part of a log. */
  log(path: string): Promise<{ bytes: Buffer; next: number; complete: boolean }>;
}

/** What the API says instead of an answer. */
const problem = z.object({ type: z.string(), title: z.string(), detail: z.string() });

/** A refusal of the API, in its own words. */
export class ApiRefusal extends Refusal {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export type Send = (path: string, init?: RequestInit) => Promise<Response>;

const prefix = '/api/v1';
/** Longest for one answer with its token and body. */
const limitMs = minute;

/** @param app a name or an address; not given: LAMPLIGHTER_APP, what `lamp use` chose, or else the host in this folder */
export async function connect(home: Home, app = process.env.LAMPLIGHTER_APP): Promise<Client> {
  const chosen = await findApp(app);
  return chosen ? clientOf(chosen.url, await remote(chosen)) : clientOf(home.root, await local(home));
}

/** The same routes without a socket: what can read the folder's store may do anything with it already. */
async function local(home: Home): Promise<Send> {
  const [{ openParts }, { v1 }] = await Promise.all([import('./host/session.ts'), import('../shared/api/v1.ts')]);
  const parts = await openParts(home);
  const person = async () => ({ name: home.person, roles: ['admin' as const], departments: null });
  const api = v1({ parts, clock: Date.now }, person);
  return async (path, init) => api.request(path, init);
}

/** Signed in as az is, or as the identity of the machine: without a secret of our own. */
async function remote({ url, client }: App): Promise<Send> {
  const { DefaultAzureCredential } = await import('@azure/identity');
  const credential = bounded(new DefaultAzureCredential(), minute / 2);
  return async (path, init = {}) => {
    const token = await credential.getToken(`${client}/.default`).catch((error: Error) => {
      throw new Refusal(`You are not signed in for ${url}: ${error.message.split('\n')[0]}. Sign in with: az login`);
    });
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token?.token}`);
    return fetch(new URL(prefix + path, url), { ...init, headers, redirect: 'error' });
  };
}

export function clientOf(place: string, send: Send): Client {
  /** Reads the whole body under the limit as well. */
  async function ask(path: string, init?: RequestInit) {
    return within(place, limitMs, async (signal) => {
      const answer = await send(path, { ...init, signal });
      const bytes = Buffer.from(await answer.arrayBuffer());
      if (!answer.ok) throw refusal(place, answer, bytes.toString());
      return { answer, bytes };
    });
  }
  const json = async <T>(path: string, shape: z.ZodType<T>, init?: RequestInit) => {
    const { bytes } = await ask(path, init);
    const read = shape.safeParse(parsed(bytes.toString()));
    if (read.success) return read.data;
    const first = read.error.issues[0];
    const where = first ? `${first.path.join('.')}: ${first.message}` : 'no JSON';
    throw new Refusal(
      `${place} answered ${path} in another shape than this lamp knows (${where}): update lamp or the app`,
    );
  };
  return {
    place,
    get: (path, shape) => json(path, shape),
    post: (path, body, shape, key) =>
      json(path, shape, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
        body: JSON.stringify(body),
      }),
    async log(path) {
      const { answer, bytes } = await ask(path);
      const next = Number(answer.headers.get('x-next-offset') ?? bytes.length);
      return { bytes, next, complete: answer.headers.get('x-log-complete') === 'true' };
    },
  };
}

function refusal(place: string, { status }: Response, text: string): Refusal {
  const reported = problem.safeParse(parsed(text));
  if (reported.success)
    return new ApiRefusal(
      reported.data.type.replace('urn:lamplighter:', ''),
      `${reported.data.title}: ${reported.data.detail}`,
    );
  const hint =
    status === 401 || status === 403 ? 'Has your account a role of this app? Ask its admin.' : 'Try again later.';
  return new ApiRefusal(`status-${status}`, `${place} answered ${status}. ${hint}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
