import { fromIso, type Instant } from '../instant.ts';

/** One record of a log as the shim writes it: time, marker, bytes. */
export interface LogRecord {
  readonly at: Instant;
  /** `job`: the job's own output; `lamplighter`: what the shim says. */
  from: 'job' | 'lamplighter';
  /** The line goes on in the next record. */
  continues: boolean;
  bytes: Buffer;
}

export const stampLength = '2026-11-20T07:00:00.123Z'.length;
/** In front of what the shim says. */
export const ours = '[lamplighter] ';

const newline = 0x0a;

/**
 * Cuts log bytes into records. For a long log see `log-text.ts`: an object for each of millions of lines costs seconds.
 * @returns the records, and the bytes at the end that are not a whole record yet
 */
export function readLog(bytes: Buffer): { records: LogRecord[]; rest: Buffer } {
  const records: LogRecord[] = [];
  let from = 0;
  for (let to = bytes.indexOf(newline); to >= 0; to = bytes.indexOf(newline, from)) {
    records.push(readRecord(bytes.subarray(from, to)));
    from = to + 1;
  }
  return { records, rest: bytes.subarray(from) };
}

function readRecord(line: Buffer): LogRecord {
  const marker = String.fromCharCode(line[stampLength] ?? 0);
  return {
    // Read when asked for: of millions of lines most are printed without.
    get at() {
      return fromIso(line.toString('latin1', 0, stampLength));
    },
    from: marker === '#' ? 'lamplighter' : 'job',
    continues: marker === '+',
    bytes: line.subarray(stampLength + 1),
  };
}
