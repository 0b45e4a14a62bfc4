import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { iso } from '../../shared/instant.ts';
import { localVault } from '../../shared/secrets/local.ts';
import { type Collected, cleaned, collect, leftOut, type Part } from '../diagnose/collect.ts';
import { findRun } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';

export interface DiagnoseOptions {
  to?: string;
  print?: boolean;
  json?: boolean;
}

/** `lamp diagnose`: all that support needs to know of a run, in one zip or folder; it says what it left out. */
export async function diagnose(here: Here, name: string, options: DiagnoseOptions, version: string): Promise<void> {
  const client = await here.connect();
  const run = await findRun(client, name);
  const { parts, missing } = await collect(client, run);
  parts.push({ name: 'versions.json', text: `${JSON.stringify(versions(version), null, 2)}\n` });
  const secrets = client.remote ? new Map<string, string>() : await secretsOf(here, parts);
  const clean = parts.map(({ name: file, text }) => ({ name: file, text: cleaned(text, secrets) }));
  const about = readme(
    run.run,
    iso(here.now()),
    clean,
    missing.map((line) => cleaned(line, secrets)),
  );
  const all = [{ name: 'README.txt', text: about }, ...clean];

  const file = options.print ? null : resolve(options.to ?? `diagnose-${run.run}.zip`);
  if (file !== null) await (file.endsWith('.zip') ? writeZip(file, all) : writeFolder(file, all)).catch(refuse(file));
  const names = all.map((part) => part.name);
  if (options.json) printJson({ run: run.run, file, contents: names, missing, leftOut });
  else if (file === null) console.log(about);
  else {
    console.log(`${file} has ${names.join(', ')}.`);
    for (const line of missing) console.log(`Not to be had: ${line}`);
    console.log(`Left out: ${leftOut.join('; ')}.\nLook through it before you send it.`);
  }
}

function versions(lamp: string) {
  return { lamp, node: process.version, platform: `${process.platform} ${process.arch}` };
}

function readme(run: string, at: string, parts: readonly Part[], missing: Collected['missing']): string {
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
  return [
    `About ${run}, collected ${at}`,
    ...list(
      'In here:',
      parts.map(({ name, text }) => `${name} (${Buffer.byteLength(text)} bytes)`),
    ),
    ...list('Not to be had:', missing),
    ...list('Left out on purpose:', leftOut),
  ].join('\n');
}

/** The values on this machine of the secrets that the job names, to look for them; none where there are none. */
async function secretsOf({ home }: Here, parts: readonly Part[]): Promise<Map<string, string>> {
  const manifest = parts.find(({ name }) => name === 'manifest.json')?.text ?? '{}';
  const names = Object.values((JSON.parse(manifest).manifest?.secrets ?? {}) as Record<string, unknown>);
  const vault = localVault({ file: home.secrets, repository: home.root, keyFile: join(home.state, 'versions.key') });
  const found = new Map<string, string>();
  for (const name of names.filter((one) => typeof one === 'string')) {
    const secret = await vault.read(name).catch(() => undefined);
    // A word of a letter or two is no secret, and would be found everywhere.
    if (secret && secret.value.length >= 4) found.set(name, secret.value);
  }
  return found;
}

async function writeZip(file: string, parts: readonly Part[]): Promise<void> {
  const zip = new ZipFile();
  const folder = basename(file, '.zip');
  for (const { name, text } of parts) zip.addBuffer(Buffer.from(text), `${folder}/${name}`);
  zip.end();
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, await buffer(zip.outputStream), { mode: 0o600 });
  await rename(draft, file);
}

async function writeFolder(folder: string, parts: readonly Part[]): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const { name, text } of parts) await writeFile(join(folder, name), text, { mode: 0o600 });
}

function refuse(file: string) {
  return (error: NodeJS.ErrnoException): never => {
    throw new Refusal(`${file} cannot be written (${error.code ?? error.message}): name another place with --to`);
  };
}
