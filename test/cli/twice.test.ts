import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Here } from '../../cli/here.ts';
import { lampProgram } from '../../cli/program.ts';
import type { Said } from '../support/cli/console.ts';
import { type Twice, twice } from '../support/cli/twice.ts';

/** Every command against one machine and against an app, which must print the same and end alike. */
let both: Twice;
beforeAll(async () => {
  both = await twice();
});
afterAll(() => both?.clean());

/** What a command line may take from what was printed before it on its side: names that differ between the two. */
type Line = string | ((last: Said) => string);

/** In this order: what is done by one line is there for the next. [command line, its exit code] */
const table: [line: Line, code: number][] = [
  ['jobs', 0],
  ['jobs --json', 0],
  ['next -n 4', 0],
  ['next daily -n 2 --after 2026-03-28T12:00Z --json', 0],
  ['next dayly', 1],
  ['runs', 0],
  ['runs --limit 2', 0],
  ['runs score --state succeeded --json', 0],
  ['runs score --since 2026-11-20T06:58Z', 0],
  ['runs scroe', 1],
  ['runs --state faild', 1],
  ['show sick', 0],
  ['show score.20261120T070000Z --json', 0],
  ['show score.20261120T070100Z', 1],
  ['show pull', 1],
  ['logs score', 0],
  ['logs score -t', 0],
  ['logs score --json', 0],
  ['logs score --attempt 7', 1],
  ['events --limit 3', 0],
  ['events score --json', 0],
  ['incidents', 0],
  ['incidents sick --json', 0],
  ['incidents --all', 0],
  ['alerts sent', 0],
  ['alerts sent --json', 0],
  ['alerts preview sick', 0],
  ['alerts preview score', 1],
  ['alerts test ops', 0],
  ['alerts test nowhere', 1],
  ['clock', 0],
  ['clock --confirm --why checked', 0],
  ['clock --confirm', 1],
  ['audit verify', 0],
  ['audit verify --json', 0],
  ['health', 0],
  ['health --json', 0],
  ['metrics score', 0],
  ['metrics score duration', 1],
  ['ping-key outside', 0],
  ['ping-key score', 1],
  ['drift', 0],
  ['drift score --json', 0],
  ['drift score --snooze 7d --why later', 0],
  ['drift score --answer expected --why new-prices', 0],
  ['drift score --answer expected', 1],
  ['drift --all', 0],
  ['replay score --last', 0],
  ['replay score --now --why checked', 1],
  ['replay scroe --now', 1],
  ['replay score --last --json', 0],
  ['runs score --kind replay', 0],
  ['baseline show score', 0],
  ['baseline pin score --since 2026-11-01 --why checked', 0],
  ['baseline pin score --since 2026-11-01 --metric median', 1],
  ['baseline reset score --metric mean', 0],
  ['baseline show score --json', 0],
  ['run pull --why now -- --limit 5', 0],
  ['run pull --wait --json', 0],
  ['run sick --wait', 1],
  ['run outside', 1],
  ['logs slow -f', 1],
  ['run slow', 0],
  ['logs slow -f', 0],
  ['rerun sick --wait', 1],
  ['rerun score.20261120T070000Z --json', 0],
  ['pause score --why holidays', 0],
  ['pause score --why again', 0],
  ['jobs', 0],
  ['resume score --no-catch-up --json', 0],
  ['resume score', 0],
  ['backfill daily --from 2026-03-28 --to 2026-03-30 --dry-run', 0],
  ['backfill daily --from 2026-03-28 --to 2026-03-30 --wait', 0],
  ['backfill daily --from 2026-03-28 --to 2026-03-30 --json', 0],
  ['backfill daily --from 2026-03-28 --to 2999-01-01', 1],
  ['backfill pull --from 2026-03-28 --to 2026-03-29', 1],
  ['backfill score --from 2026-11-19 --to 2026-11-19 --max 10', 1],
  ['run slow', 0],
  ['rerun slow', 1],
  ['cancel slow --why enough', 0],
  ['cancel slow', 1],
  ['cancel --backfill daily', 0],
  ['ack sick --why mine', 0],
  ['ack sick', 0],
  ['ack score', 1],
  ['resolve sick --json', 0],
  ['silence', 0],
  ['silence pull --for 2h --why moving', 0],
  ['silence --json', 0],
  [({ stdout }) => `silence --end ${JSON.parse(stdout)[0].id}`, 0],
  ['silence --end 0000', 1],
  ['silence --tag department:Sales --until 2026-11-21T22:00Z --why end', 0],
  ['silence pull', 1],
  ['owner-left dana@contoso.com --why left', 0],
  ['owner-left lee@contoso.com --json', 0],
  ['diagnose sick --print', 0],
];

/** These have no service to ask: they say so when an app is named for them. */
const machineOnly: Record<string, string> = {
  start: 'start',
  check: 'check',
  new: 'new a-job',
  'image build': 'image build --base python:3.12-slim',
  package: 'package',
  outputs: 'outputs',
  backup: 'backup here.backup',
  restore: 'restore here.backup',
  export: 'export here.tar.gz',
  import: 'import here.tar.gz',
  replay: 'replay score',
  detect: 'detect',
  watchdog: 'watchdog --once',
  deploy: 'deploy --dry-run',
  use: 'use here',
};

/** About an app and nothing else, and tested by files of their own. */
const elsewhere = ['verify', 'mcp'];

/** Names and times that must differ: what a random number is in, the host's own clock. */
function masked(text: string): string {
  return text
    .replaceAll(/\.([mr])[0-9a-f]{6,8}\b/g, '.$1…')
    .replaceAll(/\b[0-9a-f]{8}\b(?=[ ).,"]|$)/gm, '…')
    .replaceAll(/"starter": "[^"]*"/g, '"starter": …')
    .replaceAll(/(\d{4}-\d\d-\d\d\.\d+)\.[0-9a-f]{64}/g, '$1.…')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://…')
    .replaceAll(/^[A-Za-z0-9_-]{40,}$/gm, '…');
}

const shown = ({ code, stdout, stderr }: Said) => ({ code, stdout: masked(stdout), stderr: masked(stderr) });

test('one machine and an app print the same, but for names and times, and end alike', async () => {
  const differences: unknown[] = [];
  let [here, there]: Said[] = [];
  for (const [line, code] of table) {
    const args = (last: Said | undefined) =>
      (typeof line === 'string' ? line : line(last ?? { code: 0, stdout: '', stderr: '' })).split(' ');
    here = await both.machine.lamp(...args(here));
    there = await both.app.lamp(...args(there));
    const silent = here.stdout + here.stderr === '';
    if (!isDeepStrictEqual(shown(here), shown(there)) || here.code !== code || silent) {
      differences.push({ line: String(line), code, here: shown(here), there: shown(there) });
    }
  }
  expect(differences).toEqual([]);
}, 120_000);

function leaves(command: Command, path: string[] = []): string[] {
  return command.commands.length === 0
    ? [path.join(' ')]
    : command.commands.flatMap((one) => leaves(one, [...path, one.name()]));
}

test('no command is missing above', () => {
  const all = leaves(
    lampProgram(
      () => ({}) as Here,
      () => {},
    ),
  );
  const lines = table.map(([line]) =>
    typeof line === 'string' ? line : line({ code: 0, stdout: '[{}]', stderr: '' }),
  );
  const covered = all.filter((name) => lines.some((line) => `${line} `.startsWith(`${name} `)));
  expect([...new Set([...covered, ...Object.keys(machineOnly), ...elsewhere])].sort()).toEqual(all.sort());
});

test.each(
  Object.entries(machineOnly),
)('lamp %s says that it is about this machine when an app is named', async (name, line) => {
  const { code, stderr } = await both.app.lamp(...line.split(' '));
  expect([code, stderr]).toEqual([1, expect.stringContaining(`lamp ${name.split(' ')[0]} is about this machine`)]);
});

describe('what stands in the way of an app is said in one sentence, with what to do:', () => {
  const lamp = (...args: string[]) => both.app.lamp(...args);

  test('a name that is not known', async () => {
    const { code, stderr } = await both.machine.lamp('jobs', '--app', 'prdo');
    expect([code, stderr]).toEqual([1, expect.stringContaining('There is no app "prdo". Did you mean prod?')]);
  });

  test('another person named with --by: the app knows who acts', async () => {
    const { code, stderr } = await lamp('pause', 'score', '--by', 'lee');
    expect([code, stderr]).toEqual([1, expect.stringContaining('--by is for one machine')]);
  });

  test('not signed in', async () => {
    both.issuer.signedIn = false;
    const { code, stderr } = await lamp('jobs');
    both.issuer.signedIn = true;
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(/^You are not signed in for http.*Sign in with: az login, or --device-code$/m),
    ]);
  });

  test('no role, and a role that is not enough', async () => {
    const { claims } = both.issuer;
    both.issuer.claims = { ...claims, roles: undefined };
    const none = await lamp('jobs');
    both.issuer.claims = { ...claims, roles: ['viewer'] };
    const [looks, acts] = [await lamp('jobs'), await lamp('pause', 'score')];
    both.issuer.claims = claims;
    expect([none.code, none.stderr]).toEqual([
      3,
      expect.stringContaining('dana@contoso.com has no role: ask an admin'),
    ]);
    expect(looks.code).toBe(0);
    expect([acts.code, acts.stderr]).toEqual([3, expect.stringContaining('expected the role operator or admin')]);
  });
});
