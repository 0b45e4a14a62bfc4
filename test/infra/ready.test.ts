import { TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { ready } from '../../functions/ready.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import { freshAccount } from '../support/storage/account.ts';

const insecure = { allowInsecureConnection: true };
async function tables(connection: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name = '' } of TableServiceClient.fromConnectionString(connection, insecure).listTables())
    found.push(name);
  return found;
}

test.each([
  true,
  false,
])('an empty store is made ready, and the first tick finds its tables; in development: %s', async (development) => {
  const connection = freshAccount();
  const store = openStore({ connection });
  await expect(store.marks.get('heartbeat')).rejects.toThrow();
  await ready(store, development);
  expect(await store.marks.get('heartbeat')).toBeUndefined();
  expect(await tables(connection)).toContain('runs');
  await ready(store, development);
});

test('a store that stands costs two requests and nothing is made', async () => {
  const connection = freshAccount();
  const store = openStore({ connection });
  await store.prepare();
  const prepare = () => Promise.reject(new Error('was asked'));
  await ready({ ...store, prepare }, false);
});

test('a store that lacks one part is not repaired in silence', async () => {
  const connection = freshAccount();
  const store = openStore({ connection });
  await store.prepare();
  await BlobServiceClient.fromConnectionString(connection).deleteContainer('runs');
  await expect(ready(store, false)).rejects.toThrow(
    'the container runs is missing from a store that is not empty: was it deleted? lamp deploy --from jobs',
  );
});

test('an app that may not make tables names the command that does', async () => {
  const store = openStore({ connection: freshAccount() });
  const refused = Object.assign(new Error('This request is not authorized'), {
    code: 'AuthorizationPermissionMismatch',
  });
  await expect(ready({ ...store, prepare: () => Promise.reject(refused) }, false)).rejects.toThrow(
    /may not make its tables: .*\(AuthorizationPermissionMismatch\)\. Run: lamp deploy --from jobs/,
  );
});

test('without Azurite a developer is asked to start it; in Azure an outage is left to the work that follows', async () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:10002'), { code: 'ECONNREFUSED' });
  const fail = () => Promise.reject(refused);
  const store = { ...openStore({ connection: freshAccount() }), prepare: fail, time: fail };
  await expect(ready(store, true)).rejects.toThrow('Is it running? npx azurite');
  await ready({ ...store, marks: { ...store.marks, get: fail, advance: fail } }, false);
});
