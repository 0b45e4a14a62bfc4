import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { printOutputs } from '../../cli/commands/outputs.ts';
import { deployment } from '../../cli/deploy/deployment.ts';
import { made } from '../../cli/deploy/made.ts';
import { target } from '../../cli/deploy/options.ts';
import type { Scripted } from '../support/azure/azure-tools.ts';
import { bothJobs, deployed, deployWorld, given, missing, said, show, tools } from '../support/azure/deploy-world.ts';

deployWorld();

async function outputs(script: Scripted[]): Promise<Record<string, unknown>> {
  await tools.script(script);
  const say = (line: string) => said.push(line);
  return made(
    deployment({
      target: target(given, 'lamp-dev'),
      root: tools.root,
      jobs: join(tools.root, 'jobs'),
      now: 0,
      environment: tools.environment,
      run: tools.run({ root: tools.root, environment: tools.environment, say }),
      sleep: async () => undefined,
      say,
      confirm: async () => undefined,
    }),
  );
}
const absent = (stage: string): Scripted => ({ line: show(stage), ...missing('DeploymentNotFound') });

test('what the last deployment gave is printed as text, as JSON, and one value alone', async () => {
  const all = await outputs([{ line: show('all'), stdout: deployed({ jobs: bothJobs }) }]);
  expect(all).toMatchObject({ appName: 'func-1', vaultName: 'kv-1', jobs: bothJobs });
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line) => void printed.push(String(line)));
  printOutputs(all, undefined, false);
  printOutputs(all, 'registryLoginServer', false);
  printOutputs(all, undefined, true);
  log.mockRestore();
  expect(printed.find((line) => line.startsWith('jobs'))).toMatch(/^jobs +pull score$/);
  expect(printed).toContain('cr1.azurecr.io');
  expect(JSON.parse(printed.at(-1) ?? '')).toEqual(all);
});

test('of a deployment that failed, what the stage before it made is printed, and that is said', async () => {
  const all = await outputs([
    { line: show('all'), stdout: deployed({ failed: true }) },
    absent('access'),
    { line: show('foundation'), stdout: deployed() },
  ]);
  expect(all).toMatchObject({ vaultName: 'kv-1' });
  expect(said.join('\n')).toContain('The deployment of all failed or is under way: this is what foundation made.');
});

test.each<[string, Scripted[], RegExp]>([
  [
    'nothing is deployed',
    ['all', 'access', 'foundation'].map(absent),
    /There is no deployment of lamp-dev in rg-lamp-dev/,
  ],
  [
    'none was finished',
    [absent('all'), absent('access'), { line: show('foundation'), stdout: deployed({ failed: true }) }],
    /has been finished yet/,
  ],
  [
    'Azure is not reached',
    [{ line: show('all'), code: 1, stderr: 'ERROR: Max retries exceeded\n' }],
    /Azure was not reached/,
  ],
])('when %s, that is said, and an outage is not taken for it', async (_, script, text) => {
  await expect(outputs(script)).rejects.toThrow(text);
});

test('an output that is not there is answered with the nearest', async () => {
  const all = await outputs([{ line: show('all'), stdout: deployed() }]);
  expect(() => printOutputs(all, 'appname', false)).toThrow('There is no output appname. Did you mean appName?');
});
