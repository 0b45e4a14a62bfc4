import { StringDecoder } from 'node:string_decoder';
import type { Instant } from '../shared/instant.ts';
import { readJson, readText } from '../shared/run/log-text.ts';
import { terminalText } from './terminal.ts';

/** Where the bytes of a log go: written a piece at a time, no faster than the reader takes them. */
export interface Printer {
  /** Takes the next bytes of the log, and prints the records in them that are whole. */
  take(bytes: Buffer): Promise<void>;
  /** Prints words of our own, and is ready for another log: half a record at the end of the last one is left out. */
  say(text: string, at: Instant): Promise<void>;
}

export interface Printed {
  timestamps?: boolean;
  json?: boolean;
}

/** The part of a stream that a printer needs. */
export interface Output {
  isTTY?: boolean;
  write(bytes: Buffer): boolean;
  once(event: string, heard: () => void): unknown;
  off(event: string, heard: () => void): unknown;
}

/** As much is read, made into text and written at once: millions of lines then take no more memory than thousands. */
const slice = 128 * 1024;

/** @param output a terminal gets {@link terminalText}, everything else the job's own bytes */
export function printer({ timestamps, json }: Printed, output: Output = process.stdout): Printer {
  // A letter may be cut in two where a record goes on in the next one.
  const decoder = new StringDecoder();
  let fresh = true;
  let rest = Buffer.alloc(0);

  async function print(bytes: Buffer): Promise<void> {
    const read = json ? { ...readJson(bytes), fresh } : readText(bytes, fresh, timestamps);
    fresh = read.fresh;
    // Its own copy: it must not keep the piece that it was cut from.
    rest = Buffer.from(read.rest);
    await write(output.isTTY ? Buffer.from(terminalText(decoder.write(read.text))) : read.text);
  }

  async function write(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || output.write(bytes)) return;
    // A reader such as `head` may leave before it has taken all.
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const event of ['drain', 'close', 'error']) output.once(event, resolve);
    await promise;
    for (const event of ['drain', 'close', 'error']) output.off(event, resolve);
  }

  return {
    async take(bytes) {
      for (let from = 0; from < bytes.length; from += slice)
        await print(Buffer.concat([rest, bytes.subarray(from, from + slice)]));
    },
    say: (text, at) => print(Buffer.from(`${new Date(at).toISOString()}#${text}\n`)),
  };
}
