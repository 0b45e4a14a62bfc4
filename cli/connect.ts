import { setTimeout as wait } from 'node:timers/promises';
import type { DeviceCodeCredentialOptions } from '@azure/identity';
import type { Service } from '../shared/api/app.ts';
import { isLoopback } from '../shared/api/loopback.ts';
import { type Event, troubleText } from '../shared/events.ts';
import { hour, minute, second } from '../shared/instant.ts';
import { type App, findApp } from './app.ts';
import { type Client, clientOf, lookAt, nothingKnown, type Send } from './client.ts';
import type { Home } from './home.ts';
import { exits, Refusal } from './refusal.ts';

const prefix = '/api/v1';

type Sleep = (ms: number) => Promise<unknown>;

export interface Connecting {
  /** A name or an address; not given: LAMPLIGHTER_APP, what `lamp use` chose, or else the host in this folder. */
  app?: string;
  /** Sign in by a code in a browser. */
  deviceCode?: boolean;
  /** Who acts, for the audit: only on one machine, an app knows its caller. */
  by?: string;
  /** Between two tries; not given: it waits. */
  sleep?: Sleep;
  /** Of the sign-in by a code: for another cloud, and for tests. */
  options?: DeviceCodeCredentialOptions;
}

export async function connect(home: Home, { app, by, ...how }: Connecting = {}): Promise<Client> {
  const chosen = await findApp(app ?? process.env.LAMPLIGHTER_APP);
  if (!chosen) return local(home, by ?? home.person);
  if (by !== undefined) {
    throw new Refusal(
      `--by is for one machine: ${chosen.name} keeps the name that you are signed in with. Leave it out.`,
    );
  }
  const { send, signedIn } = await remote(chosen, how);
  return clientOf(chosen.url, send, { remote: true, signedIn });
}

async function local(home: Home, name: string): Promise<Client> {
  const [{ openParts }, { localAlerts }] = await Promise.all([import('./host/session.ts'), import('./host/alerts.ts')]);
  const session = await openParts(home);
  const service = { parts: session, clock: Date.now, alerts: () => localAlerts(home, session) };
  return inProcess(service, home.root, name, session.broken);
}

/** The same routes without a socket: what can read the folder's store may do anything with it already. */
export async function inProcess(
  service: Service,
  place: string,
  name: string,
  broken: ReadonlySet<string>,
): Promise<Client> {
  const { v1 } = await import('../shared/api/v1.ts');
  let trouble: unknown;
  const emit = (event: Event) => {
    if (event.type === 'trouble') trouble = event.error;
  };
  const api = v1({ ...service, parts: { ...service.parts, emit } }, async () => {
    return { name, roles: ['admin'], departments: null };
  });
  const send: Send = async (path, init) => {
    const answer = await api.request(path, init);
    // The API hides from its callers what failed; here the caller is the one that has to look after it.
    if (answer.status >= 500 && trouble !== undefined) throw trouble;
    return answer;
  };
  return clientOf(place, send, { broken });
}

/** Waits before the second and third try of what may be sent again. */
const pauses = [second, 3 * second];
/** A token is renewed when it is good for less than this. */
const reserve = 5 * minute;

/** The app of this address, and the sign-in that comes before each request: apart, as a person may take minutes for it. */
async function remote({ url, client }: App, { deviceCode = false, sleep = wait, options }: Connecting) {
  const { protocol, host } = new URL(url);
  if (protocol !== 'https:' && !isLoopback(host)) {
    throw new Refusal(`${url} is not encrypted: expected an address that begins with https://`);
  }
  const [{ signIn }, { forgetToken }] = await Promise.all([import('./sign-in.ts'), import('./token-file.ts')]);
  const credential = await signIn({
    place: url,
    deviceCode: deviceCode || process.env.LAMPLIGHTER_SIGN_IN === 'device-code',
    anew: deviceCode,
    person: process.stderr.isTTY === true,
    ...(options && { options }),
  });
  const scope = `${client}/.default`;
  let token = { token: '', expiresOnTimestamp: 0 };
  async function renew() {
    const given = await credential.getToken(scope).catch((error: Error) => {
      if (error instanceof Refusal) throw error;
      const why = error.message.split('\n')[0];
      throw new Refusal(
        `You are not signed in for ${url}: ${why}. Sign in with: az login, or --device-code`,
        exits.notAllowed,
      );
    });
    token = given ?? { token: '', expiresOnTimestamp: Date.now() + hour };
  }
  /** Requests at once share one token: a person types one code. */
  let renewing: Promise<void> | undefined;
  async function signedIn() {
    if (token.expiresOnTimestamp >= Date.now() + reserve) return;
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    await renewing;
  }
  const send: Send = async (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token.token}`);
    const answer = await patiently(new URL(prefix + path, url), { ...init, headers, redirect: 'error' }, sleep);
    if (answer.status === 401 || answer.status === 403) await forgetToken(scope, token.token);
    return answer;
  };
  return { send, signedIn };
}

/** Asks again after an outage, when that can do no harm: a look, or an order with a key of its own. */
async function patiently(url: URL, init: RequestInit & { headers: Headers }, sleep: Sleep): Promise<Response> {
  const again = (init.method ?? 'GET') === 'GET' || init.headers.has('idempotency-key');
  for (const pause of again ? pauses : []) {
    const answer = await fetch(url, init).catch(() => undefined);
    if (answer && ![429, 502, 503, 504].includes(answer.status)) return answer;
    await answer?.body?.cancel();
    await sleep(pause);
  }
  return fetch(url, init).catch((error: Error) => {
    throw new Refusal(
      `${url.origin} does not answer: ${troubleText(error.cause ?? error)}. ${nothingKnown} ${lookAt}`,
      exits.noAnswer,
    );
  });
}
