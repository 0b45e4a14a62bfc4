import { describe, expect, it } from 'vitest';
import { commandsOf } from '../support/cli/command.ts';
import { jobsFolder } from '../support/cli/jobs.ts';

const { problemsOf, said } = commandsOf(jobsFolder());

describe('what another tool fills in', () => {
  it.each([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as GitHub Actions has it
    ['${{ secrets.CRM }}', /is filled in by GitHub Actions; nothing does here.*under env or secrets/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as GitHub Actions has it
    ['--key=${{secrets.CRM}}', /GitHub Actions/],
    ['{{ ds }}', /is filled in by templates of Airflow; nothing does here.*JOB_SCHEDULED_FOR/],
    ['--day={{ macros.ds_add(ds, -1) }}', /Airflow/],
  ])('%j is refused in a command', async (word, text) => {
    const problems = await problemsOf(['python', 'main.py', word]);
    expect(problems).toEqual([{ said: 'run.command[2] template', text: expect.stringMatching(text) }]);
  });

  it.each(['{{name}}', '{{ .Names }}', '{"a": {"b": {} }}', '{{}}'])('%j is fine', async (word) => {
    expect(await said(['python', 'main.py', word])).toEqual([]);
  });
});

describe('a value of env that only a shell or another tool would fill in', () => {
  it.each([
    ['$CRM_URL', 'shell-syntax', /holds a variable; no shell reads this value/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as people write it for a shell
    ['https://${HOST}/crm', 'shell-syntax', /holds a variable/],
    ['$HOME/data', 'shell-syntax', /holds a variable/],
    ['data:$CRM_URL', 'shell-syntax', /holds a variable/],
    ['~/data', 'shell-syntax', /home folder.*inside of the job's folder/],
    ['$(date +%F)', 'shell-syntax', /command to run first/],
    ['{{ url }}', 'template', /Airflow/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as GitHub Actions has it
    ['${{ vars.URL }}', 'template', /GitHub Actions/],
  ])('%j is a warning', async (value, code, text) => {
    const problems = await problemsOf(['python', 'main.py'], {}, `env: { CRM: ${JSON.stringify(value)} }\n`);
    expect(problems).toEqual([{ said: `env.CRM ${code} warning`, text: expect.stringMatching(text) }]);
  });

  it.each([
    '^a$',
    'US$',
    '$5',
    'a~b',
    '~',
    '$.items[0]',
    '{{name}}',
    'costs $USD',
    '$$',
  ])('%j is fine', async (value) => {
    expect(await said(['python', 'main.py'], {}, `env: { CRM: ${JSON.stringify(value)} }\n`)).toEqual([]);
  });
});
