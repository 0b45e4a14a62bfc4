import { describe, expect, it } from 'vitest';
import { parseBicep } from '../support/infra/bicep-syntax.ts';
import { install, said } from '../support/infra/installation.ts';

describe('the check finds', () => {
  const edit = (path: string, from: string, to: string) =>
    said(install({ change: { [path]: (text) => text.replace(from, to) } })).join('\n');

  it.each([
    [
      'a parameter that is not given',
      'modules/foundation.bicep',
      '    sku: registrySku\n',
      '',
      'the parameter sku of modules/registry.bicep is not given',
    ],
    [
      'a parameter that no one knows',
      'modules/foundation.bicep',
      'sku: registrySku',
      'sku: registrySku\n    skew: 1',
      'modules/registry.bicep has no parameter skew',
    ],
    [
      'a parameter of another type',
      'modules/foundation.bicep',
      'sku: registrySku',
      'sku: 7',
      'is int: expected string',
    ],
    [
      'a parameter that is misspelt',
      'modules/foundation.bicep',
      'lock: lockData',
      'lock: lockDate',
      'nothing is called lockDate',
    ],
    [
      'a property of a variable that is not there',
      'modules/foundation.bicep',
      'vaultName: names.vault',
      'vaultName: names.vaults',
      'there is no vaults',
    ],
    [
      'an output that is not there',
      'modules/foundation.bicep',
      'registry.outputs.loginServer',
      'registry.outputs.server',
      'there is no server',
    ],
    [
      'an output of what is not deployed',
      'main.bicep',
      "stage == 'all' ? service!.outputs.appUrl : ''",
      "stage == 'access' ? '' : service!.outputs.link",
      'there is no link',
    ],
    [
      'a role that is not listed',
      'modules/vault.bicep',
      'vault.id, appIdentity.id, roles.keyVaultReader',
      'vault.id, appIdentity.id, roles.reader',
      'there is no reader',
    ],
    [
      'a file that is not there',
      'modules/vault.bicep',
      '../roles.json',
      'roles.json',
      'there is no file modules/roles.json',
    ],
    [
      'a module that is not there',
      'modules/foundation.bicep',
      "'vault.bicep'",
      "'vaults.bicep'",
      'there is no file modules/vaults.bicep',
    ],
    [
      'a name that only Azure knows',
      'modules/vault.bicep',
      'guid(vault.id, appIdentity.id,',
      'guid(vault.id, appIdentity.properties.principalId,',
      'is not known before the deployment',
    ],
    [
      'a function that does not exist',
      'main.bicep',
      'take(uniqueString',
      'takes(uniqueString',
      'there is no function takes',
    ],
    [
      'a property that is given twice',
      'modules/registry.bicep',
      '  tags: tags\n',
      '  tags: tags\n  tags: tags\n',
      'tags is given twice',
    ],
    [
      'a name that is declared twice',
      'main.bicep',
      'var letters =',
      'var suffix = 1\nvar letters =',
      'suffix is declared twice',
    ],
  ])('%s', (_, path, from, to, message) => {
    expect(edit(path, from, to)).toContain(message);
  });

  it('where a file cannot be read', () => {
    const { problems } = parseBicep('x.bicep', "param a string\nresource r 'T@1' = {\n  name: 'x'\n");
    expect(problems.length).toBeGreaterThan(0);
  });
});
