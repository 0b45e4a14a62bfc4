/** What of tar-stream is used here; it brings no types. */
declare module 'tar-stream' {
  import type { Duplex, Readable, Writable } from 'node:stream';

  export interface Header {
    name: string;
    size?: number;
    mode?: number;
    mtime?: Date;
    type?: string | null;
  }
  export interface Pack extends Readable {
    entry(header: Header, done: (error?: Error | null) => void): Writable;
    entry(header: Header, body: Buffer, done: (error?: Error | null) => void): Writable;
    finalize(): void;
  }
  export interface Extract extends Duplex {
    on(event: 'entry', take: (header: Header, body: Readable, next: (error?: Error) => void) => void): this;
    on(event: string, take: (...given: never[]) => void): this;
  }
  export function pack(): Pack;
  export function extract(): Extract;
}
