import { inflateRawSync } from 'node:zlib';

/** Larger files are not what this is for. */
const mostBytes = 16 * 1024 * 1024;

/**
 * One file of a zip as `bundle.ts` writes it: stored or deflated, no encryption, no ZIP64 (PKWARE APPNOTE 6.3, 4.3).
 * @returns undefined when there is none of this name. @throws Error for a zip that is broken, or a file that is too large
 */
export function readZipped(zip: Buffer, name: string): Buffer | undefined {
  for (const entry of entries(zip)) if (entry.name === name) return fileAt(zip, entry.at);
  return undefined;
}

/** All files by name, with CRC-32 and size before packing, as the index of the zip has them. @throws as above */
export function zippedFiles(zip: Buffer): { name: string; crc: number; size: number }[] {
  return [...entries(zip)].map(({ name, at }) => ({
    name,
    crc: zip.readUInt32LE(at + 16),
    size: zip.readUInt32LE(at + 24),
  }));
}

/** The names of all files with their CRC-32, as the index of the zip has them. @throws Error for a zip that is broken */
export function zippedSums(zip: Buffer): Map<string, number> {
  return new Map([...entries(zip)].map(({ name, at }) => [name, zip.readUInt32LE(at + 16)]));
}

function* entries(zip: Buffer): Generator<{ name: string; at: number }> {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0) throw new Error('expected a zip: its end is missing');
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error('expected a zip: its index is broken');
    const [nameLength, extra, comment] = [
      zip.readUInt16LE(at + 28),
      zip.readUInt16LE(at + 30),
      zip.readUInt16LE(at + 32),
    ];
    yield { name: zip.toString('utf8', at + 46, at + 46 + nameLength), at };
    at += 46 + nameLength + extra + comment;
  }
}

function fileAt(zip: Buffer, entry: number): Buffer {
  const [method, size, local] = [
    zip.readUInt16LE(entry + 10),
    zip.readUInt32LE(entry + 20),
    zip.readUInt32LE(entry + 42),
  ];
  const begin = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const packed = zip.subarray(begin, begin + size);
  if (method === 0) return packed;
  if (method !== 8) throw new Error(`expected a file that is stored or deflated, not by method ${method}`);
  return inflateRawSync(packed, { maxOutputLength: mostBytes });
}
