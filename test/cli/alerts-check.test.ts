import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { check } from '../../cli/commands/check.ts';
import { echo, jobsFolder } from '../support/cli/jobs.ts';

const here = jobsFolder();
const channels = 'channels:\n  sales-ops: { type: teams, address: { secret: teams-sales-ops } }\n';

test('a channel that alerts.yaml does not have is a warning, with the nearest name', async () => {
  await here.write('score', `${echo}alerts: { teams: sales-opps }\n`);
  expect((await check(here.jobs)).text).not.toContain('sales-opps');
  await writeFile(join(here.root, 'alerts.yaml'), channels);
  const { text, exitCode } = await check(here.jobs);
  expect(text).toContain('expected a channel of alerts.yaml, found "sales-opps"\n    did you mean sales-ops?');
  expect(exitCode).toBe(0);
});

test('what is wrong with alerts.yaml is a problem with its place', async () => {
  await here.write('score');
  await writeFile(join(here.root, 'alerts.yaml'), `${channels}default: [nowhere]\n`);
  const { text, exitCode } = await check(here.jobs);
  expect(text).toContain('alerts.yaml:3:10: default: expected one of the channels above, not "nowhere"');
  expect(exitCode).toBe(1);
});
