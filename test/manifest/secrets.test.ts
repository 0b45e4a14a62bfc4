import { describe, expect, it } from 'vitest';
import { codes, read, sample } from '../support/cli/manifest.ts';

describe('secrets written into a manifest', () => {
  // Put together here, so that no scanner takes this file for a leak.
  const tokens: [string, string][] = [
    ['an API key', `sk-${'proj0'.repeat(5)}`],
    ['an API key', `sk_${'live0'.repeat(5)}`],
    ['a GitHub token', `ghp_${'a1B2'.repeat(9)}`],
    ['a GitHub token', `github_pat_${'a1B2'.repeat(9)}`],
    ['an AWS access key', `AKIA${'Z7Q4'.repeat(4)}`],
    ['a Slack token', `xoxb-${'12345678'}-abcdef`],
    ['a JSON web token', `eyJ${'hbGciOiJIUzI1NiJ9'}.eyJ${'zdWIiOiJ4In0'}.c2lnbmF0dXJl`],
    ['a storage or bus account key', `AccountName=x;AccountKey=${'Zm9v'.repeat(6)}==`],
    ['a private key or certificate', `-----BEGIN ${'RSA PRIVATE KEY'}-----`],
    ['a signed URL', `https://x.blob.core.windows.net/c?sv=1&sig=${'abcd1234'}%3D`],
    ['an address with a password in it', `postgres://crm:${'hunter2'}@db/crm`],
    ['a Slack webhook', `https://hooks.slack.com/services/${'T0/B0/abcdefgh'}`],
  ];
  it.each(tokens)('%s is found in any value and in comments, and never shown: %#', (what, token) => {
    for (const text of [
      sample.replace('LIMIT: 50', `LIMIT: "${token}"`),
      sample.replace('score_prospects.py]', `score_prospects.py, "${token}"]`),
      sample.replace('crm-api-key', `"${token}"`),
      sample.replace('tier: critical', `tier: critical  # was ${token}`),
      sample.replace('teams: sales-ops', `teams: "${token}"`),
    ]) {
      const { problems } = read(text);
      expect(problems.map(({ code }) => code)).toEqual(['literal-secret']);
      expect(problems[0]?.message).toContain(what);
      expect(problems[0]?.hint).toMatch(/Key Vault.*secrets: \{ NAME: name-in-the-vault \}/);
      expect(JSON.stringify(problems)).not.toContain(token.slice(-8));
    }
  });

  it('is not shown either when the YAML around it is broken', () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    const { problems } = read(`env: { X: ${token}\ntier: [`);
    expect(problems.map(({ code }) => code)).toContain('literal-secret');
    expect(JSON.stringify(problems)).not.toContain(token);
  });

  it.each([
    '9f8e7d6c5b4a39281706f5e4d3c2b1a0',
    '0b2c3f60-1f2e-4d5c-8a9b-0c1d2e3f4a5b',
    'Zk3vT9qLm2Xw8RbY5nPd',
  ])('under secrets, %s is taken for a value although a vault would allow it as a name', (value) => {
    expect(codes(sample.replace('crm-api-key', value))).toEqual(['literal-secret']);
  });

  it.each([
    'API_KEY',
    'crmToken',
    'DB_PWD',
    'CLIENT_SECRET',
    'STORAGE_CONNECTION_STRING',
    'AZURE_CREDENTIALS',
  ])('a plain variable called %s is refused', (name) => {
    expect(codes(sample.replace('LIMIT: 50', `${name}: something`))).toEqual(['literal-secret']);
  });

  it.each([
    'MAX_TOKENS: 4096',
    'KEY_VAULT_URL: https://v.example',
    'KEYWORDS: a',
    'MONKEY: x',
    'KEY_FILE: k.pem',
    'API_KEY: ""',
  ])('a plain variable that only sounds like it is fine: %s', (line) => {
    expect(codes(sample.replace('LIMIT: 50', line))).toEqual([]);
  });

  it.each([
    'crm-api-key',
    'CrmApiKey2',
    'sk-service-key',
    'prod-2026-sendgrid-key',
  ])('%s is a name, not a secret', (name) => {
    expect(codes(sample.replace('crm-api-key', name))).toEqual([]);
  });
});
