import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commitOf } from '../../cli/host/commit.ts';
import { brokenJobs, readFolder } from '../../cli/host/folder.ts';
import { signature } from '../../cli/host/reload.ts';
import { pack } from '../../shared/job/bundle.ts';
import { checkJobs } from '../../shared/manifest/check.ts';
import { echo, jobsFolder } from '../support/cli/jobs.ts';

const here = jobsFolder();
const script = 'run: { command: [python, main.py] }\n';

/** What a Python program reads out of a bundle: name → text. */
function unpacked(zip: Buffer): Record<string, string> {
  const program =
    'import io,json,sys,zipfile\nz=zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))\nprint(json.dumps({n:z.read(n).decode() for n in z.namelist()}))';
  return JSON.parse(execFileSync('python3', ['-c', program], { input: zip, encoding: 'utf8' }));
}

/** Runs as an account that is not the superuser, for whom no file is unreadable. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  await chmod(here.root, 0o755);
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('links in a job folder', () => {
  it('to files and folders inside are packed as what they lead to, and their script is found', async () => {
    const folder = await here.write('linked', script, { 'README.md': '#', 'real.py': 'print(1)' });
    await symlink('real.py', join(folder, 'main.py'));
    await mkdir(join(folder, 'lib'));
    await writeFile(join(folder, 'lib', 'rows.py'), 'rows = 1');
    await symlink('lib', join(folder, 'also'));
    await here.write('other', echo, { 'README.md': '#', 'shared.py': 'shared = 1' });
    await symlink('../other/shared.py', join(folder, 'shared.py'));
    expect(await here.found()).toEqual([]);
    expect(unpacked((await pack(folder)).zip)).toMatchObject({
      'main.py': 'print(1)',
      'real.py': 'print(1)',
      'also/rows.py': 'rows = 1',
      'lib/rows.py': 'rows = 1',
      'shared.py': 'shared = 1',
    });
  });

  it('to outside, to nothing, in a circle, and to what is never packed are problems with their names', async () => {
    await writeFile(join(here.root, 'outside.csv'), '');
    const links = {
      'a-absolute': join(here.root, 'outside.csv'),
      'b-relative': '../../outside.csv',
      'c-folder': '/etc',
      'd-dangling': 'gone.csv',
      'e-ring': 'e-ring',
      'f-up': '.',
      'g-secret': '.env',
    };
    const folder = await here.write('linked', echo, { 'README.md': '#', '.env': 'KEY=1' });
    for (const [name, target] of Object.entries(links)) await symlink(target, join(folder, name));
    await here.write('fine');
    expect(await here.found()).toEqual([
      'linked/a-absolute outside',
      'linked/b-relative outside',
      'linked/c-folder outside',
      'linked/d-dangling dangling',
      'linked/e-ring dangling',
      'linked/f-up dangling',
      'linked/g-secret outside',
    ]);
    expect((await checkJobs(here.jobs)).jobs.map(({ name }) => name)).toEqual(['fine']);
    await expect(pack(folder)).rejects.toThrow(/a-absolute cannot be packed/);
  });

  it('that editors leave as locks are no part of it', async () => {
    const folder = await here.write('edited');
    await symlink('dana@laptop.123', join(folder, '.#job.yaml'));
    expect(await here.found()).toEqual([]);
    expect(Object.keys(unpacked((await pack(folder)).zip))).toEqual(['README.md', 'job.yaml']);
  });
});

describe('odd file names', () => {
  it.each([
    'C:out.csv',
    'a:b.txt',
    'with blank.csv',
    'ünï.csv',
    'new\nline.csv',
    '-rf',
    'aux',
    '名前.csv',
    'x\u202ecsv',
    'q\'uote".csv',
  ])('%j is packed under its own name', async (name) => {
    const folder = await here.write('odd', echo, { 'README.md': '#', [name]: 'x' });
    expect(await here.found()).toEqual([]);
    expect(unpacked((await pack(folder)).zip)).toMatchObject({ [name]: 'x' });
  });

  it('that no bundle can hold are problems of this job alone', async () => {
    const folder = await here.write('odd', echo, { 'README.md': '#', 'data\\out.csv': '' });
    await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.csv')]), '');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await here.write('fine');
    const { problems } = await checkJobs(here.jobs);
    expect(problems.map(({ file, message }) => [file.slice(here.jobs.length + 1), message])).toEqual([
      ['odd/caf\ufffd.csv', 'has a name that is not UTF-8; expected one that a bundle can hold'],
      ['odd/data\\out.csv', 'has a name that holds a backslash; expected one that a bundle can hold'],
      ['odd/pipe', 'is a pipe, socket or device; expected a file'],
    ]);
    const { catalog } = await readFolder(here.jobs);
    expect([...catalog.keys()]).toEqual(['fine']);
  });
});

describe('files that cannot be read', () => {
  it('are the problem of their job alone, named, for check, start and package', async () => {
    const folder = await here.write('locked', echo, { 'README.md': '#', 'key.pem': '' });
    await mkdir(join(folder, 'shut'));
    await chmod(join(folder, 'key.pem'), 0o000);
    await chmod(join(folder, 'shut'), 0o000);
    const manifest = await here.write('no-manifest');
    await chmod(join(manifest, 'job.yaml'), 0o000);
    await chmod(await here.write('no-folder'), 0o000);
    await here.write('fine');
    const found = await asNobody(async () => [await here.found(), [...(await readFolder(here.jobs)).catalog.keys()]]);
    await chmod(join(here.jobs, 'no-folder'), 0o755);
    await chmod(join(folder, 'shut'), 0o755);
    expect(found).toEqual([
      [
        'locked/key.pem unreadable',
        'locked/shut unreadable',
        'no-folder unreadable',
        'no-manifest/job.yaml unreadable',
      ],
      ['fine'],
    ]);
  });
});

it('a folder that cannot be read does not keep the host from seeing changes of the others', async () => {
  await mkdir(join(here.jobs, 'locked', 'shut'), { recursive: true });
  await chmod(join(here.jobs, 'locked', 'shut'), 0o000);
  const fine = await here.write('fine');
  const before = await asNobody(() => signature(here.jobs));
  expect(await asNobody(() => signature(here.jobs))).toBe(before);
  await writeFile(join(fine, 'main.py'), '');
  const after = await asNobody(() => signature(here.jobs));
  await chmod(join(here.jobs, 'locked', 'shut'), 0o755);
  expect(after).not.toBe(before);
});

describe('a repository in the jobs folder', () => {
  const git = (cwd: string, ...args: string[]) => execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();

  /** A bare repository whose config names a program to run. @returns the file that this program would write */
  async function trap(folder: string): Promise<string> {
    const mark = join(here.root, 'ran');
    const program = join(here.root, 'program.sh');
    await writeFile(program, `#!/bin/sh\ntouch ${mark}\n`);
    await chmod(program, 0o755);
    git(folder, 'init', '--quiet', '--bare', '.');
    const config = `[core]\n\tbare = false\n\tworktree = ${folder}\n\trepositoryformatversion = 0\n\tfsmonitor = ${program}\n\tpager = ${program}\n`;
    await writeFile(join(folder, 'config'), config);
    return mark;
  }

  it('is refused, and git runs nothing of it', async () => {
    const mark = await trap(here.jobs);
    await here.write('score');
    expect(await commitOf(here.jobs)).toBeNull();
    const { problems, catalog } = await readFolder(here.jobs);
    const named = problems
      .filter(({ code }) => code === 'repository')
      .map(({ file }) => file.slice(here.jobs.length + 1));
    expect(named).toEqual(['HEAD', 'config', 'objects', 'refs']);
    expect(catalog.has('score')).toBe(true);
    expect(brokenJobs(here.jobs, problems).has('HEAD')).toBe(false);
    expect(existsSync(mark)).toBe(false);
  });

  it('inside of a job is refused too', async () => {
    await trap(await here.write('score'));
    expect(await here.found()).toEqual(['score repository']);
  });

  it('is no reason to refuse jobs that are called config or objects', async () => {
    await here.write('config');
    await here.write('objects');
    expect(await here.found()).toEqual([]);
  });

  it('around the jobs folder gives the commit, with a plus when the jobs differ, and runs no monitor or hook', async () => {
    await here.write('score');
    git(here.root, 'init', '--quiet');
    expect(await commitOf(here.jobs)).toBeNull();
    git(here.root, 'add', '.');
    git(here.root, '-c', 'user.name=d', '-c', 'user.email=d@contoso.com', 'commit', '--quiet', '-m', 'one');
    const commit = git(here.root, 'rev-parse', 'HEAD');
    const program = join(here.root, 'program.sh');
    await writeFile(program, `#!/bin/sh\ntouch ${join(here.root, 'ran')}\n`);
    await chmod(program, 0o755);
    await symlink(program, join(here.root, '.git', 'hooks', 'post-index-change'));
    git(here.root, 'config', 'core.fsmonitor', program);
    expect(await commitOf(here.jobs)).toBe(commit);
    await writeFile(join(here.jobs, 'score', 'main.py'), '');
    expect(await commitOf(here.jobs)).toBe(`${commit}+`);
    expect(existsSync(join(here.root, 'ran'))).toBe(false);
    // A link to it from elsewhere is the same folder.
    const link = join(tmpdir(), `jobs-${randomUUID()}`);
    await symlink(here.jobs, link);
    expect(await commitOf(link)).toBe(`${commit}+`);
    await rm(link);
  });

  it('around the jobs folder names filters that git would run: they are not run', async () => {
    await here.write('score');
    git(here.root, 'init', '--quiet');
    git(here.root, 'add', '.');
    git(here.root, '-c', 'user.name=d', '-c', 'user.email=d@contoso.com', 'commit', '--quiet', '-m', 'one');
    const commit = git(here.root, 'rev-parse', 'HEAD');
    const program = join(here.root, 'program.sh');
    await writeFile(program, `#!/bin/sh\ntouch ${join(here.root, 'ran')}\ncat\n`);
    await chmod(program, 0o755);
    // Named in the configuration itself, in a file that it includes, and by a name that reads like another setting.
    await writeFile(join(here.root, 'more.config'), `[filter "more"]\n\tclean = ${program}\n`);
    git(here.root, 'config', 'include.path', join(here.root, 'more.config'));
    git(here.root, 'config', 'filter.plain.clean', program);
    git(here.root, 'config', 'filter.plain.required', 'true');
    git(here.root, 'config', 'filter.long.process', program);
    git(here.root, 'config', 'filter.a=b.c.clean', program);
    for (const name of ['plain', 'more', 'long', 'a=b.c']) {
      await writeFile(join(here.root, '.git', 'info', 'attributes'), `* filter=${name}\n`);
      // The same text with another time: only its content shows that it is the same.
      const file = join(here.jobs, 'score', 'job.yaml');
      await writeFile(file, await readFile(file));
      await utimes(file, 1, 1);
      expect(await commitOf(here.jobs)).toBe(commit);
      expect(existsSync(join(here.root, 'ran'))).toBe(false);
    }
    // Left to itself git does run one.
    await writeFile(join(here.root, '.git', 'info', 'attributes'), '* filter=more\n');
    git(here.root, 'status');
    expect(existsSync(join(here.root, 'ran'))).toBe(true);
  });

  it('that is not there has no commit', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'no-repository-'));
    expect(await commitOf(elsewhere)).toBeNull();
    await rm(elsewhere, { recursive: true });
  });
});

describe('what leaves its container', () => {
  const isolation = { contained: true, allowProcess: [], allowHostNetwork: [] };
  const codesOf = async (options: Parameters<typeof checkJobs>[1]) =>
    (await checkJobs(here.jobs, options)).problems.map(
      ({ path, code, hint }) => `${path} ${code} ${hint?.split('with ')[1]}`,
    );

  it('is refused under --executor docker unless the operator named that job', async () => {
    await here.write('plain', 'run: { command: [echo], executor: process }\n');
    await here.write('open', 'run: { command: [echo], network: host }\n');
    await here.write('fine', 'run: { command: [echo], executor: docker, network: none }\n');
    expect(await codesOf({ isolation })).toEqual([
      'run.network isolation --allow-host-network open',
      'run.executor isolation --allow-process plain',
    ]);
    expect(await codesOf({ isolation: { ...isolation, allowProcess: ['plain'], allowHostNetwork: ['open'] } })).toEqual(
      [],
    );
    expect(
      await codesOf({ isolation: { ...isolation, allowProcess: ['open'], allowHostNetwork: ['plain'] } }),
    ).toHaveLength(2);
    expect(await codesOf({})).toEqual([]);
  });
});
