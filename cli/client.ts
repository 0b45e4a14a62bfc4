import type { z } from 'zod';
import { NoAnswer, within } from '../shared/clients/limit.ts';
import { troubleText } from '../shared/events.ts';
import { minute } from '../shared/instant.ts';
import { exits, Refusal } from './refusal.ts';

/** The API of an installation: of the host in this folder, or of an app in Azure. Paths begin behind `/api/v1`. */
export interface Client {
  /** For messages: a folder, or an address. */
  place: string;
  /** Whether it is an app in Azure. */
  remote: boolean;
  /** Jobs of this folder that cannot be read; an app has none, as it is not deployed with one. */
  broken: ReadonlySet<string>;
  get<T>(path: string, shape: z.ZodType<T>): Promise<T>;
  /** Sent with a key of its own: it is done once, also when it is sent again after an outage. */
  post<T>(path: string, body: unknown, shape: z.ZodType<T>): Promise<T>;
  /** A part of a log. */
  log(path: string): Promise<{ bytes: Buffer; next: number; complete: boolean }>;
  text(path: string): Promise<string>;
}

/** A refusal of the API, in its own words. */
export class ApiRefusal extends Refusal {
  readonly code: string;

  constructor(code: string, message: string, exitCode: number = exits.refused) {
    super(message, exitCode);
    this.code = code;
  }
}

export type Send = (path: string, init?: RequestInit) => Promise<Response>;

export const nothingKnown = 'Nothing is known about what you asked for.';
export const lookAt = 'Check the address (lamp use) and your network; lamp verify shows whether the app runs.';

/** Longest for one answer with its body. */
const limitMs = minute;

export interface ClientOptions {
  /** Before each request, outside of its limit: a person may have a code to type. It has limits of its own. */
  signedIn?: () => Promise<unknown>;
  remote?: boolean;
  broken?: ReadonlySet<string>;
}

export function clientOf(place: string, send: Send, options: ClientOptions = {}): Client {
  const { remote = false, broken = new Set(), signedIn } = options;
  /** Reads the whole body under the limit as well. */
  async function ask(path: string, init: RequestInit = {}) {
    await signedIn?.();
    return within(place, limitMs, async (signal) => {
      const answer = await send(path, { ...init, signal });
      const bytes = await wholeBody(place, answer);
      if (!answer.ok) throw refusal(place, `${init.method ?? 'GET'} ${path}`, answer.status, bytes.toString());
      return { answer, bytes };
    }).catch((error) => {
      if (!remote || !(error instanceof NoAnswer)) throw error;
      throw new Refusal(`${error.message}. ${nothingKnown} ${lookAt}`, exits.noAnswer);
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
    remote,
    broken,
    get: (path, shape) => json(path, shape),
    post: (path, body, shape) =>
      json(path, shape, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
        body: JSON.stringify(body),
      }),
    async log(path) {
      const { answer, bytes } = await ask(path);
      const next = Number(answer.headers.get('x-next-offset') ?? bytes.length);
      return { bytes, next, complete: answer.headers.get('x-log-complete') === 'true' };
    },
    text: async (path) => (await ask(path)).bytes.toString(),
  };
}

/** @throws Refusal when the connection ends before the answer does */
async function wholeBody(place: string, answer: Response): Promise<Buffer> {
  try {
    return Buffer.from(await answer.arrayBuffer());
  } catch (error) {
    const why = troubleText((error as Error).cause ?? error);
    throw new Refusal(`${place} did not answer to the end: ${why}. ${nothingKnown} ${lookAt}`, exits.noAnswer);
  }
}

/** What the API says instead of an answer, when it is the API that says it. */
interface Problem {
  type: string;
  title: string;
  detail: string;
}

function refusal(place: string, asked: string, status: number, text: string): Refusal {
  const reported = parsed(text) as Partial<Problem> | undefined;
  if (typeof reported?.type !== 'string' || typeof reported.detail !== 'string') return bare(place, asked, status);
  const code = reported.type.replace('urn:lamplighter:', '');
  if (code === 'no-such-route' || code === 'no-such-method') return tooOld(place, asked, code);
  return new ApiRefusal(code, `${reported.title}: ${reported.detail}`, exitOf(status));
}

/** Not the API said this, but what stands in front of it, or another program. */
function bare(place: string, asked: string, status: number): Refusal {
  const code = `status-${status}`;
  if (status === 404) return tooOld(place, asked, code);
  const hint =
    exitOf(status) === exits.notAllowed
      ? 'Has your account a role of this app? Ask its admin for one, then sign in again: az login'
      : 'Try again later; lamp verify looks for the cause.';
  return new ApiRefusal(code, `${place} answered ${status}. ${hint}`, exitOf(status));
}

function tooOld(place: string, asked: string, code: string): Refusal {
  return new ApiRefusal(
    code,
    `${place} does not know ${asked.split('?')[0]}: it is older than this lamp. Bring it up to date with lamp deploy, or use a lamp of its version.`,
  );
}

function exitOf(status: number): number {
  if (status === 401 || status === 403) return exits.notAllowed;
  return status >= 500 || status === 429 ? exits.noAnswer : exits.refused;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
