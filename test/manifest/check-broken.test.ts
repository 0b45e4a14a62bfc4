import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Checked, checkJobs } from '../../shared/manifest/check.ts';
import type { Problem } from '../../shared/manifest/problem.ts';

/** Each folder of the fixtures, and the whole list of what must be said about it. */
const folder = 'test/fixtures/jobs-broken';
type Expected = [place: string, code: string, path: string, message: RegExp, hint: RegExp];
const repeat = /write the value out where it is needed/;
const vault = /put it into Key Vault .* secrets: \{ NAME: name-in-the-vault \}/;

const table: Record<string, Expected[]> = {
  'unknown-key': [
    ['7:1', 'unknown-key', 'secretz', /"secretz" is no field at the top level/, /did you mean secrets\?/],
  ],
  'key-of-another-level': [['7:1', 'unknown-key', 'timeout', /no field at the top level/, /it belongs under run/]],
  'word-of-another-tool': [['7:1', 'unknown-key', 'depends_on', /no field/, /inputs: \[other-job\/file.csv\]/]],
  'duplicate-key': [['7:1', 'duplicate-key', 'tier', /"tier" is set twice: line 3 and here/, /delete one of the two/]],
  alias: [
    ['7:14', 'anchor', 'env', /has an anchor \(&\); expected a plain value/, repeat],
    ['8:10', 'alias', 'outputs', /is an alias \(\*\); expected the value itself/, repeat],
  ],
  'merge-key': [['7:1', 'merge-key', '"<<"', /is a merge key; expected the fields themselves/, repeat]],
  'prototype-key': [
    ['8:3', 'unsafe-key', 'env.__proto__', /has a meaning of its own to programs/, /another name/],
    ['9:3', 'unsafe-key', 'env.constructor', /has a meaning of its own to programs/, /another name/],
  ],
  'number-key': [['8:3', 'key-not-text', 'env', /"1" is not a text; expected keys that are words/, /quotes/]],
  tag: [['7:25', 'tag', 'inputs', /has the tag .*python\/object/, /leave it out/]],
  tab: [['3:1', 'yaml-syntax', '', /a tab stands where the line is indented/, /two blanks/]],
  'open-quote': [['3:1', 'yaml-syntax', '', /a quote, a bracket or a comma is missing/, /close what was opened/]],
  'open-bracket': [['1:30', 'yaml-syntax', '', /a bracket is not closed/, /close every \[ and \{/]],
  'two-colons': [['1:14', 'yaml-syntax', '', /a second ": " stands in this line/, /quotes/]],
  'list-at-top': [['1:1', 'not-a-mapping', '', /is not a mapping; expected lines such as/, /docs\/manifest.md/]],
  empty: [['1:1', 'empty-file', '', /is empty; expected a job manifest/, /lamp new/]],
  'two-documents': [['8:1', 'several-documents', '', /several YAML documents; expected one/, /delete the ---/]],
  'yaml-directive': [['1:1', 'directive', '', /%YAML directive/, /delete that line/]],
  'missing-fields': [
    ['1:1', 'missing-field', 'tier', /is missing; expected one of critical, standard, low-risk/, /tier: standard/],
    ['1:1', 'missing-field', 'run', /is missing; expected a mapping/, /run: \{ command: \[python/],
    ['2:1', 'missing-field', 'owner.department', /is missing; expected a department/, /department: Sales/],
  ],
  'missing-command': [['6:1', 'missing-field', 'run.command', /is missing; expected a list of words/, /command: \[/]],
  'description-two-lines': [
    ['1:14', 'invalid-value', 'description', /"one line\\nand another" does not fit; expected one line/, /./],
  ],
  'description-short': [
    ['1:14', 'out-of-range', 'description', /"Scores" has 6 characters; expected .* 10 to 200/, /say more/],
  ],
  'command-string': [
    [
      '6:17',
      'wrong-type',
      'run.command',
      /"python score.py --fast 1" is a text; expected a list/,
      /\[python, score.py, --fast, "1"\]/,
    ],
  ],
  enumeration: [
    [
      '3:7',
      'unknown-value',
      'tier',
      /"standart" is not known; expected one of critical, standard, low-risk/,
      /did you mean standard\?/,
    ],
    ['4:7', 'unknown-value', 'data', /"secret" is not known/, /write one of public, internal, confidential, regulated/],
  ],
  'email-typo': [
    ['2:17', 'invalid-value', 'owner.email', /"dana-at-contoso" does not fit; expected an e-mail address/, /./],
  ],
  'duration-unit': [
    ['7:17', 'wrong-type', 'retry.delay', /^30 is a whole number; expected a duration/, /write 30s or 30m/],
    ['7:31', 'duration', 'retry.maxDelay', /"30 minutes" is no duration/, /write 30m/],
  ],
  'duration-range': [
    ['6:34', 'duration', 'run.timeout', /"2d" is too long; expected a duration from 1s to 24h/, /range/],
    ['6:54', 'duration', 'run.mustRunAtLeast', /"0s" is too short/, /range/],
    ['6:65', 'duration', 'run.grace', /"1.5m" is no duration/, /whole numbers only/],
  ],
  'memory-unit': [
    ['6:33', 'size', 'run.memory', /"1G" is no size; expected a size from 128Mi to 8Gi/, /Mi, Gi/],
    ['6:42', 'out-of-range', 'run.cpu', /^8 is too large; expected a number from 0.25 to 4/, /range/],
    ['6:55', 'wrong-type', 'run.logLimit', /^100 is a whole number; expected a size/, /write 100MB/],
  ],
  'python-number': [
    [
      '6:33',
      'wrong-type',
      'run.python',
      /^3\.10 is a number; expected a version in quotes/,
      /put it in quotes: "3\.10"/,
    ],
  ],
  'null-value': [['7:9', 'wrong-type', 'outputs', /^is empty; expected a list/, /write a value after the colon/]],
  'five-fields': [['7:19', 'schedule-cron', 'schedule.cron', /"0 7 \* \*" has 4/, /0 7 \* \* 1-5/]],
  'six-fields': [['7:19', 'schedule-six-fields', 'schedule.cron', /has 6 fields/, /seconds are not supported/]],
  never: [['7:19', 'schedule-impossible', 'schedule.cron', /"0 0 31 2 \*"/, /day/]],
  'time-zone': [['7:42', 'schedule-time-zone', 'schedule.timeZone', /"Europe\/Lodnon"/, /Europe\/London/]],
  'schedule-list': [
    ['8:35', 'unknown-value', 'schedule[0].catchUp', /"most" is not known/, /latest, all, none/],
    ['9:5', 'missing-field', 'schedule[1].cron', /is missing; expected five fields/, /cron: "0 7/],
    ['10:13', 'schedule-field', 'schedule[2].cron', /61/, /0–59/],
    [
      '10:41',
      'invalid-value',
      'schedule[2].mustFinishBy',
      /"7:45" does not fit; expected a local time from "00:00"/,
      /./,
    ],
    ['10:49', 'unknown-key', 'schedule[2].timezone', /"timezone" is no field/, /did you mean timeZone\?/],
  ],
  'no-schedule': [['7:11', 'out-of-range', 'schedule', /has 0 items; expected one schedule at least/, /./]],
  'catch-up-limit': [
    ['7:57', 'out-of-range', 'schedule.catchUpLimit', /^5000 is too large; expected .* 1 to 1000/, /range/],
  ],
  'environment-name': [
    ['8:3', 'bad-key', 'env.MY-MODE', /"MY-MODE" cannot be a name here; expected a name of letters/, /rename/],
    ['9:3', 'reserved-name', 'env.JOB_NAME', /set by the runner/, /MY_NAME/],
    ['10:3', 'reserved-name', 'env.PATH', /set by the runner/, /MY_PATH/],
    ['11:3', 'reserved-name', 'env.LD_PRELOAD', /set by the runner/, /MY_PRELOAD/],
    ['13:3', 'reserved-name', 'env.IDENTITY_ENDPOINT', /set by the runner/, /MY_ENDPOINT/],
  ],
  'set-twice': [['8:12', 'set-twice', 'secrets.CRM_MODE', /set under env, too \(line 7\)/, /delete it under env/]],
  'not-a-vault-name': [
    ['7:17', 'literal-secret', 'secrets.CRM', /^"hu…" \(9 characters\) is no name of a Key Vault secret/, vault],
  ],
  'password-in-env': [
    ['8:16', 'literal-secret', 'env.DB_PASSWORD', /^"hu…" \(7 characters\) stands in the open/, vault],
  ],
  retries: [
    ['7:20', 'out-of-range', 'retry.attempts', /^11 is too large; expected a whole number from 1 to 10/, /range/],
    ['7:29', 'unknown-value', 'retry.on[0]', /"netwrk" is not known/, /did you mean network\?/],
    ['7:45', 'contradiction', 'retry.delay', /delay \(20m\) is above maxDelay \(10m, the default\)/, /maxDelay/],
  ],
  container: [
    ['6:49', 'contradiction', 'run.scratch', /files of 1Gi leave nothing of a memory of 512Mi/, /raise memory/],
    ['6:60', 'out-of-range', 'run.pids', /^3 is too small; expected a whole number from 16 to 32768/, /range/],
    ['6:72', 'unknown-value', 'run.network', /"hots" is not known; expected one of none, bridge, host/, /mean host\?/],
    ['6:88', 'unknown-value', 'run.executor', /"podman" is not known/, /./],
  ],
  outputs: [
    ['8:5', 'file', 'outputs[0]', /leaves the work directory/, /inside/],
    ['9:5', 'file', 'outputs[1]', /is an absolute path/, /relative/],
    ['10:5', 'file', 'outputs[2]', /holds a wildcard/, /each file/],
    ['12:5', 'duplicate-file', 'outputs[4]', /second file called "out.csv" \(the first: line 11\)/, /delete/],
    ['13:5', 'file', 'outputs[5]', /holds a backslash/, /\//],
    ['14:5', 'file', 'outputs[6]', /is no plain path/, /outbound.csv/],
  ],
  inputs: [
    ['8:5', 'invalid-value', 'inputs[0]', /"prospects.csv" does not fit; expected a job and one of its outputs/, /./],
    ['9:5', 'unknown-job', 'inputs[1]', /"unknwon-key" is no job here/, /did you mean unknown-key\/x.csv\?/],
    [
      '10:5',
      'unknown-output',
      'inputs[2]',
      /"out.txt" is no output of outputs; expected .*"out.csv"/,
      /outputs: \[out.txt\]/,
    ],
    ['11:5', 'duplicate-file', 'inputs[3]', /second file called "x.csv" \(the first: line 9\)/, /base name/],
    ['11:5', 'input-cycle', 'inputs[3]', /waits for the job itself/, /take one of these inputs out/],
  ],
  metric: [
    ['8:16', 'contradiction', 'metrics.rows.min', /min \(5\) is above max \(1\)/, /swap/],
    ['9:3', 'bad-key', 'metrics."bad name"', /"bad name" cannot be a name here/, /rename/],
    ['10:18', 'unknown-value', 'metrics.mean.drift', /"hgih" is not known/, /did you mean high\?/],
    ['10:24', 'unknown-key', 'metrics.mean.mininum', /no field under metrics.mean/, /did you mean min\?/],
  ],
  alerts: [
    ['7:18', 'invalid-value', 'alerts.teams', /"Sales Ops!" does not fit; expected the name of a channel/, /./],
    ['7:37', 'wrong-type', 'alerts.email', /is a text; expected a list/, /\[sales@contoso.com\]/],
  ],
  bidi: [['7:14', 'control-character', 'env.NOTE', /holds the invisible character U\+202E/, /type it again/]],
  'missing-script': [
    [
      '6:26',
      'missing-script',
      'run.command[1]',
      /"score_prospect.py" is not in the job's folder/,
      /score_prospects.py\?/,
    ],
  ],
  'script-outside': [['6:26', 'unsafe-path', 'run.command[1]', /not inside the job's folder/, /copy the script/]],
};

/** Problems of folders and files rather than of places in a manifest. */
const wholes: Record<string, [file: string, code: string, message: RegExp, hint: RegExp]> = {
  'yml-ending': ['yml-ending/job.yml', 'wrong-file-name', /expected the name job.yaml/, /rename it to job.yaml/],
  'no-manifest': ['no-manifest', 'missing-manifest', /has no job.yaml/, /begin with _/],
  'no-lock': ['no-lock/pyproject.toml', 'missing-lock', /names dependencies; expected a uv.lock/, /run uv lock/],
  requirements: ['requirements/requirements.txt', 'missing-lock', /is not read/, /uv add -r requirements.txt/],
  'no-readme': ['no-readme/README.md', 'missing-readme', /is missing/, /status: development/],
  'score-b1ll': ['score-b1ll', 'look-alike-names', /"score-b1ll" looks like "scorebill"/, /rename one/],
  scorebill: ['scorebill', 'look-alike-names', /"scorebill" looks like "score-b1ll"/, /rename one/],
  Upper_Case: ['Upper_Case', 'bad-name', /"Upper_Case" is no job name; expected lower-case words/, /upper-case/],
};

let checked: Checked;
beforeAll(async () => {
  checked = await checkJobs(folder);
});
const problemsOf = (name: string): Problem[] =>
  checked.problems.filter(({ file }) => file === `${folder}/${name}` || file.startsWith(`${folder}/${name}/`));

describe('a broken manifest gets what is wrong, where, and what to do', () => {
  it.each(Object.entries(table))('%s', (name, expected) => {
    const found = problemsOf(name);
    expect(found.map((p) => [`${p.line}:${p.column}`, p.code, p.path ?? ''])).toEqual(
      expected.map((e) => e.slice(0, 3)),
    );
    for (const [index, [, , , message, hint]] of expected.entries()) {
      expect(found[index]?.message).toMatch(message);
      expect(found[index]?.hint).toMatch(hint);
      expect(found[index]?.file).toBe(`${folder}/${name}/job.yaml`);
    }
  });

  it.each(Object.entries(wholes))('%s, without a line', (name, [file, code, message, hint]) => {
    expect(problemsOf(name)).toEqual([
      { file: `${folder}/${file}`, code, message: expect.stringMatching(message), hint: expect.stringMatching(hint) },
    ]);
  });
});

describe('the whole folder', () => {
  it('reports nothing but what the tables name, and takes no broken job', () => {
    const names = readdirSync(folder).filter((name) => !/^[._]|README/.test(name));
    expect(names.sort()).toEqual([...Object.keys(table), ...Object.keys(wholes), 'alias-bomb'].sort());
    expect(checked.jobs).toEqual([]);
  });

  it('lists problems by file, line and column, each with something to do', () => {
    const places = checked.problems.map(({ file, line = 0, column = 0 }) => ({ file, line, column }));
    const sorted = [...places].sort(
      (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
    );
    expect(places).toEqual(sorted);
    for (const problem of checked.problems) expect(problem.hint, problem.message).toBeTruthy();
  });

  it('refuses an alias bomb by its anchors and aliases, without unfolding it', () => {
    const found = problemsOf('alias-bomb');
    expect(found.filter(({ code }) => code === 'anchor')).toHaveLength(4);
    expect(found.filter(({ code }) => code === 'alias')).toHaveLength(36);
  });

  it('never shows what stands under secrets or sounds secret', () => {
    expect(JSON.stringify(checked.problems)).not.toMatch(/hunter/);
  });
});
