import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { nearest } from '../shared/nearest.ts';
import { Refusal } from './refusal.ts';

/** An installation in Azure as this user calls it. */
export interface App {
  name: string;
  url: string;
  /** Application id that tokens for it are made for. */
  client: string;
}

const app = z.object({ name: z.string().regex(/^[a-z0-9-]{1,60}$/), url: z.url(), client: z.guid() });
const known = z.object({ using: z.string().nullable(), apps: z.array(app) });
type Known = z.infer<typeof known>;

const none: Known = { using: null, apps: [] };

/** Of this user alone. */
export const configFolder = () => join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'lamplighter');

/** Where the apps are named. */
export const appsFile = () => process.env.LAMPLIGHTER_APPS ?? join(configFolder(), 'apps.json');

async function read(): Promise<Known> {
  const text = await readFile(appsFile(), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (text === undefined) return none;
  try {
    return known.parse(JSON.parse(text));
  } catch {
    throw new Refusal(
      `${appsFile()} cannot be read: remove it, and name the app again with: lamp use <address> --client <id>`,
    );
  }
}

/** @returns undefined: the host in this folder is meant. @throws Refusal when the name is not known */
export async function findApp(name: string | undefined): Promise<App | undefined> {
  const { using, apps } = await read();
  const wanted = name ?? using ?? undefined;
  if (wanted === undefined || wanted === 'here') return undefined;
  const found = apps.find((one) => one.name === wanted || sameAddress(one.url, wanted));
  if (found) return found;
  const names = apps.map((one) => one.name);
  const near = nearest(wanted, names);
  const hint = near ? ` Did you mean ${near}?` : names.length > 0 ? ` There are: ${names.join(', ')}.` : '';
  throw new Refusal(`There is no app "${wanted}".${hint} Name it with: lamp use <address> --client <application id>`);
}

export async function apps(): Promise<Known> {
  return read();
}

/** From now on commands without `--app` mean this one; null: the host in the folder. @returns it */
export async function use(name: string | null, given?: { url: string; client: string }): Promise<App | null> {
  const { apps: before } = await read();
  if (name === null) {
    await write({ using: null, apps: before });
    return null;
  }
  const asked = given && app.safeParse({ name, ...given });
  if (asked && !asked.success) {
    const [issue] = asked.error.issues;
    throw new Refusal(`${issue?.path.join('.')} cannot be used: ${issue?.message}`);
  }
  if (asked && new URL(asked.data.url).protocol !== 'https:') {
    throw new Refusal(`expected an address that begins with https://, found ${asked.data.url}`);
  }
  const chosen = asked?.data ?? (await findApp(name));
  if (!chosen) throw new Refusal(`expected the name of an app, found "${name}"`);
  await write({ using: chosen.name, apps: [...before.filter((one) => one.name !== chosen.name), chosen] });
  return chosen;
}

async function write(value: Known): Promise<void> {
  await mkdir(dirname(appsFile()), { recursive: true, mode: 0o700 });
  const draft = `${appsFile()}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, appsFile());
}

function sameAddress(url: string, given: string): boolean {
  const bare = (text: string) =>
    text
      .replace(/^https:\/\//, '')
      .replace(/\/+$/, '')
      .toLowerCase();
  return bare(url) === bare(given);
}
