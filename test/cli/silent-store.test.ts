import { expect, test } from 'vitest';
import { lampHome } from '../support/cli/lamp.ts';

test('a store that does not answer is reported as that, in one line, and never as something not found', async () => {
  const noCaller = 'http://127.0.0.1:9/lamplighter';
  const parts = ['DefaultEndpointsProtocol=http', 'AccountName=lamplighter', 'AccountKey=a2V5'];
  const env = {
    LAMPLIGHTER_STORAGE: [
      ...parts,
      `BlobEndpoint=${noCaller}`,
      `QueueEndpoint=${noCaller}`,
      `TableEndpoint=${noCaller}`,
    ].join(';'),
  };
  const here = await lampHome();
  const { code, stderr } = await here.lamp(['show', 'good.20261120T070000Z'], env).finally(here.clean);
  expect(code).toBe(4);
  expect(stderr).toMatch(/^lamp: the store does not answer: .*ECONNREFUSED/);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).not.toContain('There is no');
});
