import { expect, test } from 'vitest';
import { refusedBy } from '../../cli/archive/place.ts';
import { importHistory } from '../../cli/archive/read.ts';
import { Refusal } from '../../cli/refusal.ts';
import { openEmbedded } from '../../shared/store/embedded/store.ts';
import { header, tarOf } from '../support/cli/history.ts';
import { seven } from '../support/pipeline/cast.ts';
import { freshFolder } from '../support/storage/account.ts';

/** What an import answers when the file is damaged, or the account refuses it. */

const sound = JSON.stringify(header);
test.each<[string, [string, string][], RegExp]>([
  ['a header that is cut', [['lamplighter.json', sound.slice(0, 9)]], /lamplighter\.json is no JSON/],
  ['a header that is nothing', [['lamplighter.json', 'null']], /lamplighter\.json: Invalid input/],
  [
    'a header without its chains',
    [['lamplighter.json', '{"lamplighter":"history","format":1}']],
    /lamplighter\.json \w+: /,
  ],
  ['a header of another program', [['lamplighter.json', '{"format":1}']], /lamplighter\.json lamplighter: /],
  ['a header of megabytes', [['lamplighter.json', sound + ' '.repeat(1 << 20)]], /lamplighter\.json is too large/],
  [
    'totals that are cut',
    [
      ['lamplighter.json', sound],
      ['totals.json', '{"rows"'],
    ],
    /totals\.json is no JSON/,
  ],
  [
    'totals of letters',
    [
      ['lamplighter.json', sound],
      ['totals.json', '{"rows":{"runs":"x"}}'],
    ],
    /totals\.json rows runs: /,
  ],
  [
    'totals of megabytes',
    [
      ['lamplighter.json', sound],
      ['totals.json', ' '.repeat(2 << 20)],
    ],
    /totals\.json is too large/,
  ],
])('%s is refused, with its place', async (_, entries, message) => {
  const path = await tarOf(entries);
  const error = await importHistory(openEmbedded(freshFolder()), path, 'dana', seven).catch((error) => error);
  expect(error).toBeInstanceOf(Refusal);
  expect(error.message).toMatch(/is no sound file of lamp export .*: export again\.$/s);
  expect(error.message).toMatch(message);
});

test.each<[string, object]>([
  ['a blob', { code: 'AuthorizationFailure' }],
  ['a look at a blob', { details: { errorCode: 'AuthorizationFailure' } }],
  ['a table', { code: 'RestError', details: { odataError: { code: 'AuthorizationFailure' } } }],
])('a firewall that refuses %s is named, and no role', (_, answer) => {
  const { message } = refusedBy('contosodata', { statusCode: 403, ...answer }, 'import') as Refusal;
  expect(message).toMatch(/^The network of the account contosodata is closed to this machine: .*docs\/network\.md/);
  expect(message).not.toContain('role');
});

test('a missing role is named by what is to be done, and another error stays what it is', () => {
  const answer = { statusCode: 403, code: 'AuthorizationPermissionMismatch' };
  expect((refusedBy('contosodata', answer, 'import') as Refusal).message).toContain('Storage Table Data Contributor');
  expect((refusedBy('contosodata', answer, 'export') as Refusal).message).toContain('Storage Table Data Reader');
  const outage = Object.assign(new Error('busy'), { statusCode: 503 });
  expect(refusedBy('contosodata', outage, 'export')).toBe(outage);
});
