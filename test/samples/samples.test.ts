import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPython, workDirectory } from '../support/shim/python.ts';

const jobs = join(import.meta.dirname, '../../jobs');
const friday = { JOB_SCHEDULED_FOR: '2026-11-20T07:00:00Z' };
const header =
  'id,contacted_on,age,job,marital,education,default,balance,housing,loan,contact,campaign,pdays,previous,poutcome';

async function lines(folder: string, file: string): Promise<string[]> {
  return (await readFile(join(folder, file), 'utf8')).trimEnd().split('\n');
}

describe('the three scripts together', () => {
  test('pull, score and push turn one morning into a list of ranked prospects', async () => {
    const [pulling, scoring, pushing] = await Promise.all(
      ['pull-prospects', 'score-prospects', 'push-outbound'].map(workDirectory),
    );
    if (!pulling || !scoring || !pushing) throw new Error('three folders expected');
    const pulled = await runPython(pulling, ['pull_prospects.py'], friday);
    expect(pulled).toMatchObject({ code: 0, stderr: '' });
    expect(pulled.stdout).toMatch(/^Pulled \d+ prospects for Friday 20 November 2026 from crm.csv: .*cellular.*\.\n$/);
    const rows = (await lines(pulling, 'prospects.csv')).length - 1;
    expect(pulled.metrics.rows).toBe(rows);

    await copyFile(join(pulling, 'prospects.csv'), join(scoring, 'prospects.csv'));
    const scored = await runPython(scoring, ['score_prospects.py'], friday);
    expect(scored).toMatchObject({ code: 0, stderr: '', metrics: { rows_scored: rows } });
    expect(scored.stdout).toContain('Look-back only, not known before the calls');
    const [names = '', ...cells] = await lines(scoring, 'scored.csv');
    expect(names.split(',')).not.toContain('y');
    expect(names.split(',')).not.toContain('duration');
    const scores = cells.map((line) => Number(line.split(',')[2]));
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));

    await copyFile(join(scoring, 'scored.csv'), join(pushing, 'scored.csv'));
    const pushed = await runPython(pushing, ['push_outbound.py', '--limit', '10'], friday);
    expect(pushed).toMatchObject({ code: 0, stderr: '', metrics: { rows_pushed: 10 } });
    const best = scores.slice(0, 10).reduce((sum, score) => sum + score, 0) / 10;
    expect(pushed.metrics.mean_score_pushed).toBeCloseTo(best, 2);
    expect(pushed.stdout).toContain(`The best 10 of ${rows} for Friday 20 November 2026 are in outbound.csv`);
  });

  test('a morning without prospects goes through as a success of nothing', async () => {
    const pulling = await workDirectory('pull-prospects');
    const thursday = '2,2026-11-19,44,technician,single,secondary,no,29,yes,no,telephone,1,120,1,failure';
    await writeFile(join(pulling, 'export.csv'), `${header}\n${thursday}\n`);
    const pulled = await runPython(pulling, ['pull_prospects.py', '--source', 'export.csv'], friday);
    expect(pulled).toMatchObject({ code: 0, metrics: { rows: 0 } });
    expect(pulled.stdout).toContain('No prospects to contact on Friday 20 November 2026');
    const scoring = await workDirectory('score-prospects');
    await copyFile(join(pulling, 'prospects.csv'), join(scoring, 'prospects.csv'));
    expect(await runPython(scoring, ['score_prospects.py'], friday)).toMatchObject({
      code: 0,
      metrics: { rows_scored: 0 },
    });
    const pushing = await workDirectory('push-outbound');
    await copyFile(join(scoring, 'scored.csv'), join(pushing, 'scored.csv'));
    expect(await runPython(pushing, ['push_outbound.py'], friday)).toMatchObject({
      code: 0,
      metrics: { rows_pushed: 0 },
    });
  });

  test('what the folders share is the same in each of them', async () => {
    const read = (name: string) => readFile(join(jobs, name, 'handover.py'), 'utf8');
    expect(await read('push-outbound')).toBe(await read('score-prospects'));
  });

  test('every sample job has a manifest, a README and no package to install', async () => {
    for (const name of ['check-crm', 'pull-prospects', 'score-prospects', 'push-outbound']) {
      const files = await readdir(join(jobs, name));
      expect(files).toEqual(expect.arrayContaining(['job.yaml', 'README.md']));
      expect(files).not.toContain('pyproject.toml');
    }
  });
});

describe('check-crm', () => {
  test('says in one plain sentence that the CRM answers, by hand as well', async () => {
    const folder = await workDirectory('check-crm');
    const { code, stdout, metrics } = await runPython(folder, ['check_crm.py']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^The CRM answers in [\d.]+ ms, and 13 prospects are in it\. All is well\.\n$/);
    expect(metrics).toEqual({ answer_ms: expect.any(Number), prospects: 13 });
    expect(await runPython(folder, ['check_crm.py'], { JOB_METRICS: '' })).toMatchObject({ code: 0, metrics: {} });
  });

  test.each([
    ['gone.csv', null, 'the CRM has moved: gone.csv is not there'],
    ['.', null, 'the CRM does not answer'],
    ['empty.csv', `${header}\n`, 'the CRM answers but is empty'],
    ['login.csv', '<html>Please log in</html>\n', 'the CRM answers nonsense: login.csv, line 1: no column "id"'],
  ])('a CRM at %s is an error that says so', async (source, text, message) => {
    const folder = await workDirectory('check-crm');
    if (text !== null) await writeFile(join(folder, source), text);
    const { code, stderr } = await runPython(folder, ['check_crm.py'], { CRM_SOURCE: source });
    expect(code).toBe(3);
    expect(stderr).toContain(message);
  });
});
