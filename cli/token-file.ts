import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AccessToken } from '@azure/identity';
import { z } from 'zod';
import { minute } from '../shared/instant.ts';
import { configFolder } from './app.ts';

/**
 * Tokens that were got by a code in a browser, each until it expires: else every command would ask for a code. Never beside
 * LAMPLIGHTER_APPS, which may be a file of a repository.
 */
const file = () => join(configFolder(), 'tokens.json');
const kept = z.record(z.string(), z.object({ token: z.string(), expiresOnTimestamp: z.number() }));

/** One that is good for less is not worth a command. */
const reserve = 5 * minute;

/** @returns undefined: there is none that is still good. A file that cannot be read is as good as none. */
export async function rememberedToken(scope: string): Promise<AccessToken | undefined> {
  const found = (await all())[scope];
  return found && found.expiresOnTimestamp > Date.now() + reserve ? found : undefined;
}

/** Only its user may read the file; what has expired goes. @returns the same token, also when it could not be kept */
export async function rememberToken(scope: string, { token, expiresOnTimestamp }: AccessToken): Promise<AccessToken> {
  const good = Object.entries(await all()).filter(([, one]) => one.expiresOnTimestamp > Date.now());
  const next = { ...Object.fromEntries(good), [scope]: { token, expiresOnTimestamp } };
  await write(next).catch((error: Error) => {
    console.error(`The token cannot be kept (${error.message}): the next command asks for a code again.`);
  });
  return { token, expiresOnTimestamp };
}

/** The app refused this token: one that is made now has the roles of now. Others, such as those of az, are not kept here. */
export async function forgetToken(scope: string, token: string): Promise<void> {
  const { [scope]: found, ...others } = await all();
  if (found?.token !== token) return;
  await write(others).catch((error: Error) => {
    console.error(`The token cannot be forgotten (${error.message}): sign in anew with --device-code.`);
  });
}

async function write(tokens: z.infer<typeof kept>): Promise<void> {
  await mkdir(dirname(file()), { recursive: true, mode: 0o700 });
  const draft = `${file()}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(tokens)}\n`, { mode: 0o600 });
  await rename(draft, file());
}

async function all(): Promise<z.infer<typeof kept>> {
  try {
    return kept.parse(JSON.parse(await readFile(file(), 'utf8')));
  } catch {
    return {};
  }
}
