import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { runNow } from '../../shared/actions/run-now.ts';
import type { Parts } from '../../shared/parts.ts';
import { isFinal, type Run } from '../../shared/run/run.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import { type EmbeddedStore, openEmbedded } from '../../shared/store/embedded/store.ts';
import type { HostSettings } from '../faults/host.ts';
import { numbers } from '../support/pipeline/random.ts';
import { until } from '../support/shim/shim.ts';
import { freshAccount } from '../support/storage/account.ts';
import { type Form, formsOf } from '../support/vault/secret-forms.ts';
import { everything, everythingBelow, type Sink, search } from '../support/vault/sinks.ts';

/** Of what is printed, and of where it is cut. */
const seed = 20;
const random = numbers(seed);
const base64Text = (length: number) => Array.from({ length }, () => pick(alphabet)).join('');
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const pick = (signs: string) => signs[Math.floor(random() * signs.length)] ?? '';
const pem = Array.from({ length: 8 }, () => base64Text(64)).join('\n');
const secrets: Record<string, string> = {
  ODD: `pä$$ "w'ör\\d`.concat(`\nline <two> & 50%+/=\`~ é's`),
  WIDE: '€uro-😀-schlüssel/42?"\'x',
  LONG: [base64Text(36), base64Text(700), base64Text(43)].map((text) => text.replace(/\W/g, '_')).join('.'),
  PEM: `-----BEGIN PRIVATE KEY-----\n${pem}\n${base64Text(30)}==\n-----END PRIVATE KEY-----\n`,
  PIN: '4821337769',
};
const forms = new Map(Object.entries(secrets).map(([name, secret]) => [name, named(name, formsOf(secret))]));
const allForms = [...forms.values()].flat();

function named(name: string, of: Form[]): Form[] {
  return of.map((form) => ({ ...form, name: `${name} as ${form.name}` }));
}

const manifest = `description: Says what it should not.
owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
run: { command: [python, main.py], overlap: allow, timeout: 15s, grace: 1s, logLimit: 64Mi }
retry: { attempts: 1 }
outputs: [out.csv, out.json, bad.json]
`;
const declared = `secrets: { ODD: odd, WIDE: wide, LONG: long, PEM: pem, PIN: pin }\n`;

interface Reported {
  sinks: Sink[];
  runs: Run[];
}

/** Runs the job on a host of its own, with these arguments each, and reads everything that is left of it anywhere. */
async function report(
  { onTestFinished }: TestContext,
  more: (root: string) => string,
  calls: string[][],
  where: 'an account' | 'a folder' = 'an account',
): Promise<Reported> {
  const root = await mkdtemp(join(tmpdir(), 'sinks-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const at = (...names: string[]) => join(root, 'home', ...names);
  await mkdir(at('jobs', 'leaky'), { recursive: true });
  await mkdir(at('.lamplighter'));
  await writeFile(at('jobs', 'leaky', 'job.yaml'), manifest + more(root));
  await writeFile(at('jobs', 'leaky', 'README.md'), '# Leaky\n');
  await cp(join(import.meta.dirname, '../support/vault/leaky.py'), at('jobs', 'leaky', 'main.py'));
  await writeFile(at('clock'), '0');
  await writeFile(join(root, 'undeclared.json'), JSON.stringify(secrets));
  // A line of the file holds no line end; the environment does.
  const lines = ['WIDE', 'LONG', 'PIN'].map((name) => `${name.toLowerCase()}=${secrets[name]}\n`);
  await writeFile(join(root, 'secrets.env'), lines.join(''), { mode: 0o600 });
  const env = {
    ...process.env,
    LAMPLIGHTER_SECRETS: join(root, 'secrets.env'),
    LAMPLIGHTER_SECRET_ODD: secrets.ODD,
    LAMPLIGHTER_SECRET_PEM: secrets.PEM,
    TMPDIR: root,
  };

  const connection = where === 'an account' ? freshAccount() : '';
  const program = join(import.meta.dirname, '../faults/host.ts');
  const settings: HostSettings = {
    name: 'host',
    home: at(),
    connection,
    clock: at('clock'),
    switches: at('switches'),
    losesNudges: 0,
  };
  const host = spawn(process.execPath, [program, JSON.stringify(settings)], { env });
  const ended = once(host, 'close');
  const said: Buffer[] = [];
  for (const stream of [host.stdout, host.stderr]) stream.on('data', (bytes: Buffer) => said.push(bytes));
  const store = where === 'an account' ? openStore(connection) : openEmbedded(at('.lamplighter'));
  try {
    const lives = () => {
      if (host.exitCode !== null) throw new Error(`the host has ended: ${Buffer.concat(said)}`);
    };
    await until(async () => {
      lives();
      return (await store.jobs.get('leaky').catch(() => undefined)) !== undefined;
    });
    const parts = { store, emit: () => {} } as unknown as Parts;
    const asked = { by: 'dana', why: 'to see what it says' };
    for (const call of calls) await runNow(parts, 'leaky', call, asked, Date.now());
    const runs = await until(async () => {
      lives();
      const rows: Run[] = [];
      for await (const { value } of store.runs.list('leaky', { page: 100 })) rows.push(value);
      return rows.length === calls.length && rows.every(({ state }) => isFinal(state)) && rows;
    });
    const all = where === 'an account' ? everything(connection) : everythingBelow(at('.lamplighter'));
    const sinks = (await all).filter(({ place }) => !/\/outputs\//.test(place));
    sinks.push({ place: 'what the host said', bytes: Buffer.concat(said) });
    sinks.push({
      place: 'the log of shims',
      bytes: await readFile(at('.lamplighter', 'shim.log')).catch(() => said[0] ?? Buffer.alloc(0)),
    });
    return { sinks, runs };
  } finally {
    host.kill('SIGKILL');
    await ended;
    if ('close' in store) (store as EmbeddedStore).close();
  }
}

/** Most of each is waiting for a time limit. */
const together = { concurrent: true, timeout: 180_000 };

// What a job writes into its outputs is its own data: the blobs of outputs are kept as they are, their profiles are not.
for (const where of ['an account', 'a folder'] as const) {
  const name = `a secret printed thousands of times in every form, cut anywhere, is nowhere in ${where}, and in no emit or log`;
  test(name, together, async (context) => {
    const count = where === 'a folder' ? 400 : 2_000;
    const ends = ['traceback', 'command', 'exit', 'hang', 'well'];
    const calls = ends.map((end, at) => [`${seed + at}`, `${count}`, end]);
    const { sinks, runs } = await report(context, () => declared, calls, where);
    const leaks = search(sinks, allForms).map(({ form, place }) => `${form.name} in ${place}`);
    expect(leaks).toEqual([]);
    // That it was all there to be found but for the shim: the job ran, and its lines were kept.
    expect(runs.map(({ state }) => state).sort()).toEqual(['failed', 'failed', 'failed', 'succeeded', 'timed-out']);
    const logs = sinks.filter(({ place }) => /^blob .*\/log\.txt$/.test(place));
    expect(logs.length).toBe(5);
    for (const { bytes } of logs) {
      expect(bytes.toString('latin1').match(/~\d: /g)?.length).toBeGreaterThan(count * 0.95);
    }
    expect(runs.map(({ attempts }) => attempts[0]?.error)).toContainEqual(
      expect.stringMatching(/^ValueError: cannot log in with \*\*\* \/ '\*\*\*'$/),
    );
    expect(runs.find(({ state }) => state === 'succeeded')?.metrics).toMatchObject({ rows: 7 });
  });
}

test('the same search finds every one of these forms when the secrets are not declared', together, async (context) => {
  const { sinks } = await report(context, (root) => `env: { UNDECLARED: ${join(root, 'undeclared.json')} }\n`, [
    [`${seed}`, '0', 'exit'],
  ]);
  const found = search(sinks, allForms);
  const names = new Set(found.map(({ form }) => form.name));
  expect(allForms.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([]);
  for (const place of [/^table runs .* attempts/, /^blob runs\/.*result\.json/, /^what the host said/]) {
    expect(found.some((one) => place.test(one.place))).toBe(true);
  }
});
