import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal } from '../refusal.ts';

/** What infra/<environment>.bicepparam calls the installation. @throws Refusal */
export async function namedIn(root: string, environment: string): Promise<string> {
  const file = join(root, 'infra', `${environment}.bicepparam`);
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Refusal(`${file} cannot be read (${error.message}): this works in the repository that holds infra/`);
  });
  const name = /^param name = '([^']*)'/m.exec(text)?.[1];
  if (name === undefined) throw new Refusal(`${file} does not say: param name = '…'. Add it, or give --name`);
  return name;
}
