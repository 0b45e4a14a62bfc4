import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localVault } from '../../shared/secrets/local.ts';
import type { SecretTrouble, Vault } from '../../shared/secrets/vault.ts';

let root: string;
let file: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'secrets-'));
  file = join(root, 'config', 'secrets.env');
  await mkdir(join(root, 'config'));
  await mkdir(join(root, 'repository'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const vault = (more: Partial<Parameters<typeof localVault>[0]> = {}): Vault =>
  localVault({
    file,
    repository: join(root, 'repository'),
    keyFile: join(root, 'state', 'key'),
    environment: {},
    ...more,
  });
const save = (text: string, mode = 0o600, to = file) => writeFile(to, text, { mode });
const refused = (from: Vault, trouble: SecretTrouble, says: string) =>
  expect(from.read('crm-api-key')).rejects.toMatchObject({ trouble, message: expect.stringContaining(says) });

describe('a secret of this machine', () => {
  test('comes from a file that only its user can read', async () => {
    await save('# keys\nother=1\ncrm-api-key=s3cret=with=equals\n');
    expect((await vault().read('crm-api-key')).value).toBe('s3cret=with=equals');
  });

  test.each([
    ['double quotes', 'crm-api-key="a b"', 'a b'],
    ['single quotes', "crm-api-key='a b'", 'a b'],
    ['a quote inside', `crm-api-key=a"b`, `a"b`],
    ['spaces around', '  crm-api-key =  a  ', 'a'],
    ['Windows lines', 'crm-api-key=a\r\nnext=b\r\n', 'a'],
    ['another case', 'CRM-Api-Key=a', 'a'],
    ['a line twice', 'crm-api-key=old\ncrm-api-key=new', 'new'],
    ['a # in the value', 'crm-api-key=a#b', 'a#b'],
    ['a comment after it', 'crm-api-key=a # the new one', 'a'],
    ['a comment after quotes', 'crm-api-key="a # b" # the new one', 'a # b'],
    ['export before it', 'export crm-api-key=a', 'a'],
    ['the name of a variable', 'export CRM_API_KEY="a"', 'a'],
    ['another kind of quotes', 'crm-api-key=`a"b`', 'a"b'],
    ['a # first', 'crm-api-key=#a', '#a'],
    ['a dollar sign', 'crm-api-key=pa$word$1', 'pa$word$1'],
    ['a backslash inside', 'crm-api-key=a\\nb', 'a\\nb'],
    ['escapes in double quotes', 'crm-api-key="a\\nb\\"c\\r"', 'a\nb"c\r'],
    ['escapes in single quotes', `crm-api-key='a\\nb\\\\\${C}'`, `a\\nb\\\\\${C}`],
    [
      'a whole key in one line',
      'crm-api-key=-----BEGIN-----\\nab=\\n-----END-----',
      '-----BEGIN-----\\nab=\\n-----END-----',
    ],
    [
      'a line end in quotes',
      'other=1\ncrm-api-key="-----BEGIN\r\nabc=\r\n-----END"\r\nnext=2',
      '-----BEGIN\nabc=\n-----END',
    ],
    ['a byte order mark', '\ufeffcrm-api-key=a', 'a'],
    ['old Mac line ends', 'other=1\rcrm-api-key=a\r', 'a'],
  ])('is read from a line with %s', async (_, text, value) => {
    await save(text);
    expect((await vault().read('crm-api-key')).value).toBe(value);
  });

  test.each(['utf16le', 'utf16be'] as const)('is read from a file that Windows has written as %s', async (encoding) => {
    const bytes = Buffer.from('\ufeffother=1\r\ncrm-api-key=grün\r\n', 'utf16le');
    await writeFile(file, encoding === 'utf16be' ? bytes.swap16() : bytes, { mode: 0o600 });
    expect((await vault().read('crm-api-key')).value).toBe('grün');
  });

  test.each([
    ['text after the quotes', 'crm-api-key="s3cret" extra', 'line 1', 'after its closing "'],
    ['quotes that are not closed', 'x=1\ncrm-api-key="-----BEGIN\nabc', 'line 2', 'is not closed'],
    ['a line that is none, when the name is missing', 'x=1\ncrm-api-key: s3cret', 'line 2', 'is not name=value'],
    ['a quote that the other kind closes', `crm-api-key="s3cret'`, 'line 1', 'is not closed'],
    ['a quote that only what looks like settings follows', 'crm-api-key="s3\nabcd=\nB=1', 'line 1', 'is not closed'],
    ['a key without quotes', 'crm-api-key=-----BEGIN KEY-----\nabc\n-----END KEY-----', 'line 1', 'put quotes before'],
    ['more in the next line', 'x=1\ncrm-api-key=s3\ncret', 'line 2', 'goes on in the next line'],
    ['the end of a base64 text in the next line', 'crm-api-key=s3\ncret==', 'line 1', 'goes on in the next line'],
    ['all of it in the next line', 'crm-api-key=\n  {"s3": 1}', 'line 1', 'goes on in the next line'],
    ['a backslash at its end', 'crm-api-key=s3 \\\n  cret', 'line 1', 'ends in a backslash'],
    ['quotes of a word processor', 'crm-api-key=“s3cret”', 'line 1', 'quotes of a word processor'],
    ['German ones, and a # inside', 'crm-api-key=„s3 # cret“', 'line 1', 'quotes of a word processor'],
    ['a path of Windows in double quotes', 'crm-api-key="C:\\temp\\new"', 'line 1', 'put the value in single quotes'],
    ['a backslash before a backslash', 'crm-api-key="s3\\\\n"', 'line 1', 'put the value in single quotes'],
    ['a backslash at the end of a line in quotes', 'crm-api-key="s3\\\ncret"', 'line 1', 'in single quotes'],
    ['a reference', `crm-api-key=\${S3}cret`, 'line 1', 'is not replaced'],
    ['a reference in double quotes', `crm-api-key="s3\${CRET:-x}"`, 'line 1', 'is not replaced'],
    ['a NUL character', 'x=1\ncrm-api-key=s3\0cret', 'line 2', 'holds a NUL'],
  ])('is refused with the line, and never its value: %s', async (_, text, line, says) => {
    await save(text);
    const error = await vault()
      .read('crm-api-key')
      .catch((reason: Error) => reason);
    expect(error).toMatchObject({ trouble: 'missing', message: expect.stringContaining(`${line} of ${file} `) });
    expect((error as Error).message).toContain(says);
    // The path is of chance, and may hold the same letters.
    expect((error as Error).message.replaceAll(file, '')).not.toMatch(/s3|cret|BEGIN|abc/);
  });

  test('is refused with the line where its bytes are no text', async () => {
    await writeFile(file, Buffer.concat([Buffer.from('x=1\ncrm-api-key=gr'), Buffer.from([0xfc, 0x6e])]), {
      mode: 0o600,
    });
    await refused(vault(), 'missing', `line 2 of ${file} is not UTF-8`);
  });

  test('is read although another line of the file cannot be', async () => {
    await save('what is this\nother="a" b\ncrm-api-key=a');
    expect((await vault().read('crm-api-key')).value).toBe('a');
  });

  test('is not taken from the lines of a key, which is refused as a whole', async () => {
    const key = 'pem=-----BEGIN KEY-----\nabc+/\ncrm-api-key==\nnext=1';
    await save(key);
    await refused(vault(), 'missing', `is missing, and line 2 of ${file} is not name=value`);
    await save(key.replace('==', '='));
    await refused(vault(), 'missing', `is missing, and line 2 of ${file} is not name=value`);
    expect((await vault().read('next')).value).toBe('1');
    await expect(vault().read('pem')).rejects.toThrow(`line 1 of ${file} begins a key of several lines`);
  });

  test('is not taken from inside the quotes of another', async () => {
    await save('other="C:\\temp\ncrm-api-key=a\n"');
    await refused(vault(), 'missing', 'is missing');
  });

  test('may be followed by what is no setting, when its quotes end or a line lies between', async () => {
    await save('crm-api-key="a"\nwhat is this\nother=b\n\nwhat is this');
    expect((await vault().read('crm-api-key')).value).toBe('a');
    expect((await vault().read('other')).value).toBe('b');
  });

  test('comes from the environment first, whatever the file is like', async () => {
    await save('crm-api-key=file', 0o644);
    const environment = { LAMPLIGHTER_SECRET_CRM_API_KEY: 'environment' };
    expect((await vault({ environment }).read('crm-api-key')).value).toBe('environment');
  });
});

describe('a secret that cannot be had is reported with what to do', () => {
  test('missing, in a file and without one', async () => {
    await refused(vault(), 'missing', `add the line crm-api-key=… to ${file}, or set LAMPLIGHTER_SECRET_CRM_API_KEY`);
    await save('other=1\n#crm-api-key=commented\n=nameless\ncrm-api-key\n');
    await refused(vault(), 'missing', 'is missing');
  });

  test('empty, in the file or the environment', async () => {
    await save('crm-api-key=""');
    await refused(vault(), 'missing', 'is empty');
    await refused(vault({ environment: { LAMPLIGHTER_SECRET_CRM_API_KEY: '' } }), 'missing', 'is empty');
  });

  test.each([0o644, 0o640, 0o604, 0o660])('in a file that others can read (mode %o)', async (mode) => {
    await save('crm-api-key=a');
    await chmod(file, mode);
    await refused(vault(), 'unsafe', `chmod 600 ${file}`);
  });

  test('in a file inside the repository, however it is named', async () => {
    const inside = join(root, 'repository', '..secrets.env');
    await save('crm-api-key=a', 0o600, inside);
    await refused(vault({ file: inside }), 'unsafe', 'move it out');
    await refused(vault({ file: join(root, 'config', '..', 'repository', '..secrets.env') }), 'unsafe', 'move it out');
  });

  test('in a file that only looks as if it were outside of the repository', async () => {
    await save('crm-api-key=a', 0o600, join(root, 'repository', 'secrets.env'));
    await symlink(join(root, 'repository'), join(root, 'link'));
    await refused(vault({ file: join(root, 'link', 'secrets.env') }), 'unsafe', 'move it out');
  });

  test('in what is no file', async () => {
    await mkdir(file, { mode: 0o700 });
    await refused(vault(), 'unreachable', `${file} cannot be read`);
  });
});

describe('the version of a secret', () => {
  test('stays with the value, changes with it, and says nothing of it', async () => {
    await save('crm-api-key=s3cret');
    const [first, same] = [await vault().read('crm-api-key'), (await vault().version('crm-api-key')).version];
    expect(same).toBe(first.version);
    expect(first.version).toMatch(/^local-[0-9a-f]{12}$/);
    await save('crm-api-key=s3cret2');
    expect((await vault().version('crm-api-key')).version).not.toBe(first.version);
  });

  test('cannot be guessed elsewhere: each machine has a key of its own, that only its user can read', async () => {
    await save('crm-api-key=s3cret');
    const { version: here } = await vault().version('crm-api-key');
    const there = await vault({ keyFile: join(root, 'state2', 'key') }).version('crm-api-key');
    expect(there.version).not.toBe(here);
    expect((await stat(join(root, 'state', 'key'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(root, 'state', 'key'))).toHaveLength(32);
  });

  test('is the same for hosts that make the key at once', async () => {
    await save('crm-api-key=s3cret');
    const versions = await Promise.all(
      Array.from({ length: 8 }, async () => (await vault().version('crm-api-key')).version),
    );
    expect(new Set(versions).size).toBe(1);
  });
});
