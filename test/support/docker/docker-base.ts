import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type Docker from 'dockerode';

const run = promisify(execFile);
const roots = 'python3 ca-certificates tzdata dash bash coreutils grep base-files libc-bin'.split(' ');
/** What those depend on by name only: no one configures or installs a package in there. */
const left = new Set('debconf dpkg perl perl-base install-info openssl readline-common mailcap'.split(' '));
const bulk = /^\/usr\/share\/(doc|man|locale|info|lintian|bug|doc-base|bash-completion)\//;

/**
 * An image with Python, packed from the Debian packages of this very machine, as no registry is at hand. Made once for
 * each set of package versions, in seconds. @returns its name
 */
export async function baseImage(docker: Docker): Promise<string> {
  const { names, versions } = await closure();
  const tag = `lamplighter-test-base:${createHash('sha256').update(versions).digest('hex').slice(0, 12)}`;
  const images = await docker.listImages({ filters: { reference: [tag] } });
  if (images.length === 0) await importBase(docker, names, tag);
  return tag;
}

async function importBase(docker: Docker, packages: string[], tag: string): Promise<void> {
  const stage = await mkdtemp(join(tmpdir(), 'lamp-base-'));
  try {
    await skeleton(stage);
    const { stdout } = await run('dpkg-query', ['-L', ...packages], { maxBuffer: 64 << 20 });
    const files = await present(stdout.split('\n'));
    // The daemon takes no path twice.
    const staged = new Set(await readdir(stage, { recursive: true }));
    await writeFile(`${stage}.list`, files.filter((file) => !staged.has(file)).join('\n'));
    const flags = ['--owner=0', '--group=0', '--numeric-owner'];
    const tar = spawn('tar', ['-c', ...flags, '-C', stage, '.', '-C', '/', '--no-recursion', '-T', `${stage}.list`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [repo = '', version = ''] = tag.split(':');
    const answer = await docker.importImage(tar.stdout, { repo, tag: version });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(answer, (error) => (error ? reject(error) : resolve()));
    });
  } finally {
    await rm(stage, { recursive: true, force: true });
    await rm(`${stage}.list`, { force: true });
  }
}

/** What packages make at installation. */
async function skeleton(stage: string): Promise<void> {
  await chmod(stage, 0o755);
  for (const folder of ['dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'usr/bin', 'var/tmp']) {
    await mkdir(join(stage, folder), { recursive: true });
  }
  for (const folder of ['tmp', 'var/tmp']) await chmod(join(stage, folder), 0o1777);
  for (const link of ['bin', 'lib', 'lib64', 'sbin']) {
    const target = await readlink(`/${link}`).catch(() => undefined);
    if (target !== undefined) await cp(`/${link}`, join(stage, link), { verbatimSymlinks: true });
  }
  await writeFile(join(stage, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await writeFile(join(stage, 'etc/group'), 'root:x:0:\n');
  for (const file of ['etc/ld.so.cache', 'etc/ssl/certs/ca-certificates.crt']) {
    await mkdir(dirname(join(stage, file)), { recursive: true });
    await cp(`/${file}`, join(stage, file)).catch(() => {});
  }
}

/** The files that are there, by the way that follows /bin → /usr/bin, directories included, each once. */
async function present(files: string[]): Promise<string[]> {
  const folders = new Map<string, string | undefined>();
  const found = new Set<string>();
  for (const file of files) {
    if (!file.startsWith('/') || file === '/.' || bulk.test(file)) continue;
    const folder = dirname(file);
    if (!folders.has(folder)) folders.set(folder, await realpath(folder).catch(() => undefined));
    const real = folders.get(folder);
    if (real === undefined || /^\/(bin|lib|lib64|sbin|tmp|var\/tmp)$/.test(file)) continue;
    found.add(join(real, file.slice(folder.length + (folder === '/' ? 0 : 1))).slice(1));
  }
  const there = await Promise.all([...found].map((file) => isThere(`/${file}`)));
  return [...found].filter((_, index) => there[index]);
}

function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

/** The packages that the roots need, of those installed here, and their versions. */
async function closure(): Promise<{ names: string[]; versions: string }> {
  const format = ['Package', 'Version', 'Pre-Depends', 'Depends'].map((field) => `\${${field}}`).join('\t');
  const { stdout } = await run('dpkg-query', ['-W', '-f', `${format}\n`], { maxBuffer: 64 << 20 });
  const installed = new Map<string, { version: string; needs: string[] }>();
  for (const line of stdout.split('\n')) {
    const [name = '', version = '', ...needs] = line.split('\t');
    installed.set(name, {
      version,
      needs: [...needs.join(', ').matchAll(/[a-z0-9][a-z0-9.+-]+(?=[ :,)|]|$)/g)].map(String),
    });
  }
  const wanted = new Set<string>();
  const visit = (name: string) => {
    const found = installed.get(name);
    if (!found || wanted.has(name) || left.has(name)) return;
    wanted.add(name);
    for (const need of found.needs) visit(need);
  };
  for (const root of roots) visit(root);
  const names = [...wanted].sort();
  return { names, versions: names.map((name) => `${name} ${installed.get(name)?.version}`).join('\n') };
}
