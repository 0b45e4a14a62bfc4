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

const stampLength = '2026-11-20T07:00:00.123Z'.length;
const newline = 0x0a;
const hash = 0x23;
const plus = 0x2b;
/** In front of what the shim says. */
export const ours = '[lamplighter] ';

/**
 * Cuts log bytes into records.
 * @returns the records, and the bytes at the end that are not a whole record yet
 */
export function readLog(bytes: Buffer): { records: LogRecord[]; rest: Buffer } {
  const records: LogRecord[] = [];
  const end = scan(bytes, (from, to) => records.push(readRecord(bytes.subarray(from, to))));
  return { records, rest: bytes.subarray(end) };
}

/**
 * The text of log bytes as people read it, in one copy: a record of its own for each of millions of lines costs hundreds
 * of megabytes.
 * @param fresh whether the text before these bytes ended with its line
 * @returns the text, and the bytes at the end that are not a whole record yet
 */
export function readText(bytes: Buffer, fresh: boolean): { text: Buffer; rest: Buffer; fresh: boolean } {
  const text = Buffer.allocUnsafe(bytes.length); // `ours` is shorter than the time and marker that it takes the place of
  let size = 0;
  let open = !fresh;
  const end = scan(bytes, (from, to) => {
    const marker = bytes[from + stampLength];
    if (marker === hash) size += text.write(ours, size, 'latin1');
    size += bytes.copy(text, size, from + stampLength + 1, to);
    open = marker === plus;
    if (!open) text[size++] = newline;
  });
  return { text: text.subarray(0, size), rest: bytes.subarray(end), fresh: !open };
}

/** Goes over whole records. @returns where the last one ends */
function scan(bytes: Buffer, visit: (from: number, to: number) => void): number {
  let from = 0;
  for (let to = bytes.indexOf(newline); to >= 0; to = bytes.indexOf(newline, from)) {
    visit(from, to);
    from = to + 1;
  }
  return from;
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
