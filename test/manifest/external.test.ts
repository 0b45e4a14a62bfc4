import { expect, test } from 'vitest';
import { minute } from '../../shared/instant.ts';
import { readManifest } from '../../shared/manifest/reading.ts';
import { toJob } from '../../shared/manifest/to-job.ts';

const head = `description: Builds the monthly report.
owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
`;
const read = (lines: string) => readManifest(Buffer.from(head + lines), 'job.yaml');
const said = (lines: string) => read(lines).problems.map(({ path, code }) => `${path} ${code}`);

test('a job that runs elsewhere needs no command, and waits ten minutes for its first ping', () => {
  const { manifest, problems } = read('external: true\nschedule: { cron: "0 7 * * *" }');
  expect(problems).toEqual([]);
  if (!manifest) throw new Error('no manifest');
  const job = toJob(manifest, { name: 'report', folder: '/jobs/report', locked: false, env: {} });
  expect(job).toMatchObject({ external: true, command: [], timeoutMs: 60 * minute });
  expect(job.schedules[0]?.mustStartWithinMs).toBe(10 * minute);
});

test('what only matters to a launch is refused', () => {
  const launch =
    'run: { command: [python, a.py], memory: 1Gi, timeout: 5m }\nretry: { attempts: 3 }\nsecrets: { A_KEY: a-key }';
  expect(said(`external: true\n${launch}\nschedule: { cron: "0 7 * * *", args: [x] }`).sort()).toEqual([
    'retry external',
    'run.command external',
    'run.memory external',
    'schedule.args external',
    'secrets external',
  ]);
});

test('without external: true the command is needed as ever', () => {
  expect(said('')).toEqual(['run missing-field']);
  expect(said('external: false\nrun: { timeout: 5m }')).toEqual(['run.command missing-field']);
  expect(said('external: yes')).toContain('external wrong-type');
  expect(said('external: true\nrun: { timeuot: 5m }')).toEqual(['run.timeuot unknown-key']);
  expect(said('external: true\nrun: [a]')).toEqual(['run wrong-type']);
});
