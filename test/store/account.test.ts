import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { freshAccount } from '../support/storage/account.ts';

test('two tests never share a storage account', async () => {
  const [one, two] = [freshAccount(), freshAccount()];
  const table = TableClient.fromConnectionString(one, 'runs', { allowInsecureConnection: true });
  await table.createTable();
  await table.createEntity({ partitionKey: 'a', rowKey: 'b' });
  const other = TableClient.fromConnectionString(two, 'runs', { allowInsecureConnection: true });
  await expect(other.getEntity('a', 'b')).rejects.toMatchObject({ statusCode: 404 });
});
