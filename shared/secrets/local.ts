import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { type Dotenv, readDotenv, secretKey } from './dotenv.ts';
import { type Secret, SecretError, type Vault } from './vault.ts';

export interface LocalVaultOptions {
  /** Lines of `name=value`, see dotenv.ts; need not exist. */
  file: string;
  /** The file must not be in here: it would be committed one day. */
  repository: string;
  /** Random bytes of this machine, made when missing: with them versions differ without a hint at the value. */
  keyFile: string;
  environment?: NodeJS.ProcessEnv;
}

/**
 * Secrets on one machine: from the environment (`LAMPLIGHTER_SECRET_CRM_API_KEY` for `crm-api-key`), else from a file of
 * the user's that no one else can read.
 */
export function localVault({ file, repository, keyFile, environment = process.env }: LocalVaultOptions): Vault {
  async function find(name: string): Promise<string> {
    const variable = `LAMPLIGHTER_SECRET_${name.toUpperCase().replaceAll('-', '_')}`;
    const value = environment[variable] ?? fromFile(name, await readSecrets(file, repository), file);
    if (value === undefined || value === '') {
      const how = value === '' ? 'is empty' : 'is missing';
      throw new SecretError('missing', `${how}: add the line ${name}=… to ${file}, or set ${variable}`);
    }
    return value;
  }
  let key: Promise<Buffer> | undefined;
  const read = async (name: string): Promise<Secret> => {
    const value = await find(name);
    key ??= machineKey(keyFile);
    const digest = createHmac('sha256', await key)
      .update(value)
      .digest('hex');
    return { value, version: `local-${digest.slice(0, 12)}` };
  };
  return {
    place: file,
    read,
    version: async (name) => ({ version: (await read(name)).version, validFrom: null, expiresOn: null }),
  };
}

async function readSecrets(file: string, repository: string): Promise<Dotenv> {
  if (isWithin(await realPath(file), await realPath(repository))) {
    throw new SecretError('unsafe', `${file} lies inside the repository and could be committed: move it out`);
  }
  try {
    const { mode } = await stat(file);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new SecretError('unsafe', `${file} can be read by others: chmod 600 ${file}`);
    }
    return readDotenv(await readFile(file));
  } catch (error) {
    if (error instanceof SecretError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { secrets: new Map(), faults: [] };
    throw new SecretError('unreachable', `${file} cannot be read: ${(error as Error).message}`, error);
  }
}

function isWithin(file: string, folder: string): boolean {
  const path = relative(folder, file);
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}

/** Where links lead to: a link into the repository is in the repository. What is not there leads nowhere. */
async function realPath(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}

/** @throws SecretError naming the line that cannot be read, never its value */
function fromFile(name: string, { secrets, faults }: Dotenv, file: string): string | undefined {
  const found = secrets.get(secretKey(name));
  const fault = typeof found === 'object' ? found : found === undefined ? faults[0] : undefined;
  if (!fault) return typeof found === 'string' ? found : undefined;
  const without = found === undefined ? 'is missing, and ' : '';
  throw new SecretError('missing', `${without}line ${fault.line} of ${file} ${fault.fault}`);
}

async function machineKey(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(file), { recursive: true });
    // The first to create it wins; all read the same.
    await writeFile(file, randomBytes(32), { flag: 'wx', mode: 0o600 }).catch(() => {});
    return readFile(file);
  }
}
