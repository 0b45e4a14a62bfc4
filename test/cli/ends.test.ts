import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type End, endings, ends, filesOf } from '../../cli/deploy/ends.ts';
import { endFindings } from '../../cli/verify/judge.ts';
import { again, deployWorld, file, run, said, tools } from '../support/azure/deploy-world.ts';

deployWorld();

const root = join(import.meta.dirname, '../..');
const at = (day: string) => Date.parse(`${day}T12:00:00Z`);
const oldVault = "resource v 'Microsoft.KeyVault/vaults@2023-07-01' = {}";
const files = new Map([['infra/modules/vault.bicep', oldVault]]);
const states = (day: string) => endings(files, at(day)).map(({ state, text }) => `${state}: ${text}`);

test('an end is silent until a year before, then a warning with the days left, and refused from the day on', () => {
  expect(states('2026-02-26')).toEqual([]);
  expect(states('2026-02-28')).toEqual([
    expect.stringMatching(/^soon: Key Vault .* ends on 2027-02-27, in 364 days \(learn/),
  ]);
  expect(states('2027-02-26')).toEqual([expect.stringContaining('soon: ')]);
  expect(states('2027-02-27')).toEqual([
    expect.stringContaining('over: Key Vault management versions before 2026-02-01 ended'),
  ]);
});

test('nothing of this repository has ended, or ended within a year, on the day that its versions were chosen', () => {
  expect(endings(filesOf(root), at('2026-11-28'))).toEqual([]);
});

test.each(
  ends.map((one) => [one.name, one] as const),
)('%s: a date, a source, a remedy, and the docs say the same', async (_, one: End) => {
  expect(new Date(at(one.end)).toISOString().slice(0, 10)).toBe(one.end);
  expect(one.source).toMatch(/^[\w.-]+\//);
  const docs = await readFile(join(root, 'docs/deploy.md'), 'utf8');
  expect(docs).toContain(`| ${one.name} | ${one.end} | ${one.source} |`);
});

test('what is still in use is found in the real templates, not only in the list', () => {
  const now = at('2029-01-01');
  const over = endings(filesOf(root), now).map(({ end }) => end.name);
  expect(over).toEqual(['Node.js 24', 'Python 3.12']);
  const real = new Map(filesOf(root));
  real.set('infra/x.bicep', oldVault);
  expect(endings(real, now).map(({ end }) => end.name)).toContain('Key Vault management versions before 2026-02-01');
});

test('verify notes what ends soon, which is no failure, and calls wrong what has ended', () => {
  expect(endFindings(endings(files, at('2026-12-01')))).toMatchObject([{ check: 'ends', state: 'note' }]);
  expect(endFindings(endings(files, at('2027-03-01')))).toMatchObject([{ check: 'ends', state: 'wrong' }]);
  expect(endFindings([])).toMatchObject([{ check: 'ends', state: 'right' }]);
});

test('a deployment warns before the day, and from the day on is refused before it asks Azure anything', async () => {
  await tools.script(again());
  await file('infra/modules/vault.bicep', oldVault);
  expect((await run({}, { now: at('2026-11-30') })).error).toBeNull();
  expect(said.join('\n')).toContain(
    '  Warning: Key Vault management versions before 2026-02-01 ends on 2027-02-27, in 89 days',
  );
  const before = (await tools.calls()).length;
  const { error } = await run({}, { now: at('2027-02-27') });
  expect(error).toContain('ended on 2027-02-27 (learn.microsoft.com/azure/key-vault/general/migrate-api-version)');
  expect((await tools.calls()).length).toBe(before);
});
