import { describe, expect, it } from 'vitest';
import { checkJobs } from '../../shared/manifest/check.ts';
import { echo, jobsFolder } from '../support/cli/jobs.ts';

const here = jobsFolder();

describe('names of secrets', () => {
  const secret = async (value: string, variable = 'KEY') => {
    await here.write('job', `${echo}secrets: { ${variable}: ${JSON.stringify(value)} }\n`);
    const [first, ...others] = (await checkJobs(here.jobs)).problems;
    expect(others).toEqual([]);
    return first && [first.code, first.hint];
  };

  it.each([
    ['-abc', 'write abc'],
    ['abc-', 'write abc'],
    ['openweather_api_key', 'write openweather-api-key'],
    ['OPENWEATHER_API_KEY', 'write openweather-api-key'],
    ['crm.token', 'write crm-token'],
    ['crm api key', 'write crm-api-key'],
    ['crm–api–key', 'write crm-api-key'],
    ['$CRM_API_KEY', 'write crm-api-key'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as people write it for a shell
    ['${CRM_API_KEY}', 'write crm-api-key'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as people write it for a shell
    ['${SAP_USER}', 'write sap-user'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as GitHub Actions has it
    ['${{ secrets.CRM_API_KEY }}', 'write crm-api-key'],
    ['%CRM_API_KEY%', 'write crm-api-key'],
    ['<crm-api-key>', 'write crm-api-key'],
    ['secret:crm-api-key', 'write crm-api-key'],
    ['https://v.vault.azure.net/secrets/crm-api-key', 'write crm-api-key'],
    ['https://v.vault.azure.net/secrets/SapUser2/0123456789abcdef0123456789abcdef', 'write sapuser2'],
    ['@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/crm-api-key/)', 'write crm-api-key'],
    ['@Microsoft.KeyVault(VaultName=v;SecretName=crm-api-key)', 'write crm-api-key'],
  ])('%s gets a hint how to write it, and is not called leaked', async (value, hint) => {
    expect(await secret(value)).toEqual(['secret-name', hint]);
  });

  it('that is written as its variable is a name, whatever its words', async () => {
    expect(await secret('sap_user', 'SAP_USER')).toEqual(['secret-name', 'write sap-user']);
  });

  it.each(['a', 'crm-api-key', 'CRM-Key-2', 'a--b'])('%s is fine', async (value) => {
    expect(await secret(value)).toBeUndefined();
  });

  it.each([
    'hunter2!',
    'correct_horse',
    'pa55_w0rd',
    '$hunter2',
    '<hunter2>',
    'secret:hunter2',
    '%hunter2%',
    'https://hooks.contoso.com/secrets/hunter2',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what no variable is called
    '${hunter 2!}',
    'Xk93-mmQp_Lr8sZ2Xk93mmQp',
  ])('%s may be a value, and is not shown', async (value) => {
    expect((await secret(value))?.[0]).toBe('literal-secret');
    expect(JSON.stringify((await checkJobs(here.jobs)).problems)).not.toContain(value.replace(/^\W+|\W+$/g, ''));
  });
});
