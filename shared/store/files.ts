import type { Readable } from 'node:stream';
import type { Instant } from '../instant.ts';

/** Files of a store by their paths, which have `/` between their parts: for what carries them to another store. */
export interface Files {
  /** All whose path begins with `prefix`, which ends in `/`, in no order. */
  list(prefix: string): AsyncIterable<string>;
  /** Undefined: there is none, or it is no plain file. */
  read(path: string): Promise<FileBody | undefined>;
  /** Stores one that must not exist yet. @returns false: it exists, and stays as it is */
  create(path: string, body: FileBody): Promise<boolean>;
}

/** The parts of such a path. @throws RangeError: one is empty or leads elsewhere, as clients and systems resolve dots */
export function partsOf(path: string): string[] {
  const parts = path.split('/');
  const wrong = parts.find((part) => !isName(part));
  if (wrong !== undefined) throw new RangeError(`"${wrong}" is no name of a file`);
  return parts;
}

/** Whether it names a file or folder where it stands, on any system. */
export function isName(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..' && !/[/\\\0]/.test(part);
}

export interface FileBody {
  bytes: number;
  /** When it was last written. */
  at: Instant;
  stream: Readable;
}
