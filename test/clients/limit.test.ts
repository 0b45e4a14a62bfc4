import { get as getExecution } from '@azure/arm-appcontainers/api/jobs';
import type { TokenCredential } from '@azure/identity';
import { describe, expect, test } from 'vitest';
import { bounded } from '../../shared/clients/credential.ts';
import { NoAnswer, retryAfterMs, within } from '../../shared/clients/limit.ts';
import { armClient } from '../../shared/clients/management.ts';
import { hour, second } from '../../shared/instant.ts';
import { keyVault } from '../../shared/secrets/keyvault/keyvault.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import type { Store } from '../../shared/store/store.ts';
import { type Failure, failing, failures } from '../support/storage/silent.ts';

/** Short enough for a test, and time for the handshakes of five calls; what is promised is that each ends soon after it. */
const limit = 1_000;
const soon = 10 * second;

const token = { token: 'a-token', expiresOnTimestamp: Date.now() + hour };
const signedIn: TokenCredential = { getToken: async () => token };
/** As a managed identity whose endpoint accepts connections and never answers; it takes no signal. */
const silent: TokenCredential = { getToken: () => new Promise(() => {}) };

const attempt = { job: 'score', run: '20261120T070000Z', attempt: 1 };

/** One call of each client that the service has. */
const calls: Record<string, (url: string, credential: TokenCredential) => Promise<unknown>> = {
  'a table': (url, credential) => storeAt(url, credential).jobs.get('score'),
  'a listing of a table': async (url, credential) => {
    for await (const _ of storeAt(url, credential).active.all()) return;
  },
  'a queue': (url, credential) => storeAt(url, credential).launches.take(1, 30),
  'a blob': (url, credential) => storeAt(url, credential).attempts.result(attempt),
  'the properties of a blob': (url, credential) => storeAt(url, credential).attempts.begun(attempt),
  'an upload': (url, credential) => storeAt(url, credential).bundles.put('0a', Buffer.from('zip')),
  'a key for signatures': (url, credential) => storeAt(url, credential).bundles.url('0a', Date.now() + hour),
  'the clock of the store': (url, credential) => storeAt(url, credential).time(),
  'the vault': (url, credential) =>
    keyVault({ url, credential, patience: limit, client: { disableChallengeResourceVerification: true } }).version(
      'key',
    ),
  'Azure’s management': (endpoint, credential) => {
    const arm = armClient({ credential, subscription: 'sub', endpoint, patienceMs: limit });
    return Promise.resolve(getExecution(arm, 'rg', 'lamp-score'));
  },
};

function storeAt(url: string, credential: TokenCredential): Store {
  // Where the host is a number, the account is in the path.
  const place = `${url}/lamp`;
  const account = { blobs: place, queues: place, tables: place, credential };
  return openStore(account, undefined, { rowsMs: limit, blobsMs: limit });
}

async function errorOf(call: Promise<unknown>): Promise<Error> {
  const began = performance.now();
  const error = await call.then(
    () => new Error('it has answered'),
    (thrown: Error) => thrown,
  );
  expect(performance.now() - began, 'how long the call took, ms').toBeLessThan(soon);
  return error;
}

// Nearly all of it is waiting: the calls wait together.
describe.concurrent.each(Object.keys(calls))('a call to %s ends with an error', (name) => {
  const call = calls[name] as (typeof calls)[string];

  test.for(
    (Object.keys(failures) as Failure[]).filter((how) => how !== 'wants a token'),
  )('when the server %s', async (how, context) => {
    const { url, asked } = await failing(how, context);
    const error = await errorOf(call(url, signedIn));
    expect(error.message).not.toBe('it has answered');
    expect(asked()).toBeGreaterThan(0);
  });

  test('when no token comes', async (context) => {
    const { url } = await failing('wants a token', context);
    const error = await errorOf(call(url, bounded(silent, limit / 2)));
    expect(error.message).toMatch(/no answer from the token endpoint within 0\.5 s/);
  });
});

describe('the limit of a call', () => {
  test('ends what takes no signal, names who was asked, and says for how long', async () => {
    const error = await errorOf(within('the vault', 20, () => new Promise(() => {})));
    expect(error).toBeInstanceOf(NoAnswer);
    expect(error.message).toBe('no answer from the vault within 0.02 s');
  });

  test('says the work that it is over, so that its connection is closed', async () => {
    let reported = false;
    await errorOf(
      within('the vault', 20, (signal) => {
        signal.addEventListener('abort', () => {
          reported = true;
        });
        return new Promise(() => {});
      }),
    );
    expect(reported).toBe(true);
  });

  test('leaves a result and an error of its own as they are', async () => {
    expect(await within('x', soon, async () => 7)).toBe(7);
    expect(await errorOf(within('x', soon, () => Promise.reject(new RangeError('wrong'))))).toBeInstanceOf(RangeError);
  });
});

test.each([
  ['1800', 1_800_000],
  ['0', 0],
  ['Sat, 28 Nov 2026 08:00:30 GMT', 30_000],
  ['Sat, 28 Nov 2026 07:00:00 GMT', 0],
  ['soon', undefined],
  ['', undefined],
  [null, undefined],
])('Retry-After %j is a wait of %s ms', (header, ms) => {
  expect(retryAfterMs(header, Date.parse('2026-11-28T08:00:00Z'))).toBe(ms);
});
