import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import type { Form } from './secret-forms.ts';

/** Something that was written somewhere. */
export interface Sink {
  place: string;
  bytes: Buffer;
}

/** Everything in an account: each property of each row, each blob, each message of each queue. */
export async function everything(connection: string): Promise<Sink[]> {
  const found: Sink[] = [];
  const insecure = { allowInsecureConnection: true };
  for await (const { name = '' } of TableServiceClient.fromConnectionString(connection, insecure).listTables()) {
    for await (const row of TableClient.fromConnectionString(connection, name, insecure).listEntities()) {
      for (const [property, value] of Object.entries(row)) {
        const place = `table ${name} ${row.partitionKey} ${row.rowKey} ${property}`;
        found.push({ place, bytes: Buffer.from(`${property} ${String(value)}`) });
      }
    }
  }
  const blobs = BlobServiceClient.fromConnectionString(connection);
  for await (const { name } of blobs.listContainers()) {
    const container = blobs.getContainerClient(name);
    for await (const blob of container.listBlobsFlat({ includeMetadata: true })) {
      const bytes = await container.getBlobClient(blob.name).downloadToBuffer();
      found.push({ place: `blob ${name}/${blob.name}`, bytes });
      found.push({ place: `facts of ${name}/${blob.name}`, bytes: Buffer.from(JSON.stringify(blob)) });
    }
  }
  const queues = QueueServiceClient.fromConnectionString(connection);
  for await (const { name } of queues.listQueues()) {
    const { peekedMessageItems } = await queues.getQueueClient(name).peekMessages({ numberOfMessages: 32 });
    for (const { messageText } of peekedMessageItems) {
      found.push({ place: `queue ${name}`, bytes: Buffer.from(messageText, 'base64') });
    }
  }
  return found;
}

/** The same of an embedded store: each row, and each file as it is, the database and its log too. */
export async function everythingBelow(folder: string): Promise<Sink[]> {
  const found: Sink[] = [];
  using db = new DatabaseSync(join(folder, 'lamplighter.db'), { readOnly: true });
  for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()) {
    for (const row of db.prepare(`SELECT * FROM "${name}"`).all()) {
      for (const value of Object.values(row)) {
        found.push({ place: `table ${name} ${row.partition} ${row.row}`, bytes: Buffer.from(String(value)) });
      }
    }
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    // Environments and bundles that attempts share: no run writes there.
    if (!entry.isFile() || path.startsWith(join(folder, 'cache'))) continue;
    found.push({ place: `blob ${relative(folder, path)}`, bytes: await readFile(path) });
  }
  return found;
}

/** A sink in all the ways in which a person might read it. */
function views({ bytes }: Sink): { plain: Buffer[]; unwrapped: Buffer[] } {
  const said = [bytes, ...texts(bytes).map((text) => Buffer.from(text))];
  const plain = different(said.flatMap((one) => [one, bare(one), bare(records(one))]));
  const unwrapped = plain.map((one) => Buffer.from(one.toString('latin1').replace(/\s+/g, ''), 'latin1'));
  return { plain, unwrapped: different(unwrapped) };
}

const different = (all: Buffer[]) => all.filter((one, at) => all.findIndex((other) => other.equals(one)) === at);

/** Every text in a JSON document, names included; none when it is something else. */
function texts(bytes: Buffer): string[] {
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value === 'string') found.push(value);
    else if (typeof value === 'number') found.push(String(value));
    else if (Array.isArray(value)) for (const item of value) walk(item);
    else if (value && typeof value === 'object') for (const [name, item] of Object.entries(value)) walk([name, item]);
  };
  try {
    walk(JSON.parse(bytes.toString().replace(/^[^{["]*/, '')));
  } catch {
    // Not JSON.
  }
  return found;
}

/** Without what moves a terminal's cursor or colours. */
function bare(bytes: Buffer): Buffer {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal is reported with
  const text = bytes.toString('latin1').replace(/\x1b\[[0-9;]*[A-Za-z]|\x1b\][^\x07]*\x07|\r/g, '');
  return Buffer.from(text, 'latin1');
}

/** What the job has written, without the instants in front of each record, and pieces of lines put together. */
function records(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const stamp = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
  const lines = text.replace(new RegExp(`(?<=^|\n)${stamp}#[^\n]*\n`, 'g'), '');
  const joined = lines.replace(new RegExp(`(?<=^|\n)${stamp}\\+([^\n]*)\n`, 'g'), '$1');
  return Buffer.from(joined.replace(new RegExp(`(?<=^|\n|)${stamp} `, 'g'), ''), 'latin1');
}

/** Long forms are looked for in parts, too: what is left of one is as bad. */
const part = 20;

function parts({ bytes }: Form): Buffer[] {
  if (bytes.length < 2 * part) return [bytes];
  return [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = Math.floor(share * (bytes.length - part));
    return bytes.subarray(at, at + part);
  });
}

/** Which forms are where: `form in place`. */
export function search(sinks: Sink[], forms: Form[]): { form: Form; place: string }[] {
  const wrapped = searcher(forms.filter(({ wraps }) => wraps));
  const whole = searcher(forms.filter(({ wraps }) => !wraps));
  return sinks.flatMap((sink) => {
    const { plain, unwrapped } = views(sink);
    const seen = new Set([...plain.flatMap(whole), ...unwrapped.flatMap(wrapped)]);
    return forms.filter((form) => seen.has(form)).map((form) => ({ form, place: sink.place }));
  });
}

/** How many bytes a part is found by. */
const head = 4;

/** Looks for all parts of all forms in one pass: a thousand passes over megabytes take half a minute. */
function searcher(forms: Form[]): (view: Buffer) => Form[] {
  const byHead = new Map<number, { form: Form; bytes: Buffer }[]>();
  const pairs = new Uint8Array(0x1_0000);
  for (const form of forms) {
    for (const bytes of parts(form)) {
      const key = bytes.readUInt32LE(0);
      byHead.set(key, [...(byHead.get(key) ?? []), { form, bytes }]);
      pairs[key & 0xffff] = 1;
    }
  }
  return (view) => {
    const found = new Set<Form>();
    for (let at = 0; at + head <= view.length; at++) {
      if (pairs[(view[at] ?? 0) | ((view[at + 1] ?? 0) << 8)] === 0) continue;
      for (const { form, bytes } of byHead.get(view.readUInt32LE(at)) ?? []) {
        if (view.compare(bytes, 0, bytes.length, at, Math.min(at + bytes.length, view.length)) === 0) found.add(form);
      }
    }
    return [...found];
  };
}
