import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** What shims and people do at the addresses that a store gives, wherever those lead. */

const isFile = (url: string) => url.startsWith('file:');

export async function textAt(url: string): Promise<string> {
  return isFile(url) ? readFile(fileURLToPath(url), 'utf8') : (await fetch(url)).text();
}

/** Gives a heartbeat. */
export async function put(url: string, body: string): Promise<boolean> {
  if (!isFile(url)) return (await fetch(url, { method: 'PUT', headers: { 'x-ms-blob-type': 'BlockBlob' }, body })).ok;
  await writeFile(fileURLToPath(url), body);
  return true;
}

/** Begins a log, and adds to it. */
export async function append(url: string, ...texts: string[]): Promise<void> {
  if (isFile(url)) {
    for (const text of ['', ...texts]) await appendFile(fileURLToPath(url), text);
    return;
  }
  const headers = { 'x-ms-blob-type': 'AppendBlob', 'If-None-Match': '*' };
  const answers = [await fetch(url, { method: 'PUT', headers })];
  for (const body of texts) answers.push(await fetch(`${url}&comp=appendblock`, { method: 'PUT', body }));
  for (const { status } of answers) if (status !== 201) throw new Error(`the log was not written: ${status}`);
}
