import { isUtf8 } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import { iso } from '../../shared/instant.ts';
import { type LogRecord, ours, readLog, readText } from '../../shared/run/log.ts';
import { isFinal, type Run, runName } from '../../shared/run/run.ts';
import type { AttemptId } from '../../shared/store/attempts.ts';
import type { Home } from '../home.ts';
import { findRun, openParts, type Session } from '../host/session.ts';
import { Refusal } from '../refusal.ts';
import { terminalText } from '../terminal.ts';

export interface LogOptions {
  follow?: boolean;
  attempt?: string;
  timestamps?: boolean;
  json?: boolean;
}

/** `lamp logs`: what a run wrote, and with -f what it writes until it is over, further attempts included. */
export async function logs(home: Home, name: string, options: LogOptions): Promise<void> {
  const parts = await openParts(home);
  let run = await findRun(parts, name);
  const print = printer(options);
  let number = options.attempt === undefined ? run.attempts.length : readAttempt(options.attempt, run);
  if (number === 0 && !options.follow) {
    const why = run.reason ? `: ${run.reason}` : '';
    console.error(`${runName(run)} has not started (${run.state}${why}).`);
    return;
  }
  if (number === 0) number = 1;
  for (;;) {
    run = await printAttempt(parts, run, number, print, options.follow === true);
    const more =
      options.follow && options.attempt === undefined && (!isFinal(run.state) || run.attempts.length > number);
    if (!more) break;
    number += 1;
    print.add({ at: Date.now(), from: 'lamplighter', continues: false, bytes: Buffer.from(`attempt ${number}`) });
    await print.flush();
  }
  if (options.follow && !options.json)
    console.error(`${runName(run)} ${run.state}${run.reason ? `: ${run.reason}` : ''}`);
}

/** @returns the run as it was when the attempt's log was complete */
async function printAttempt(parts: Session, first: Run, number: number, print: Printer, follow: boolean): Promise<Run> {
  const id: AttemptId = { job: first.job, run: first.id, attempt: number };
  let run = first;
  let offset = 0;
  let rest = Buffer.alloc(0);
  const take = async (bytes: Buffer) => {
    offset += bytes.length;
    for (let from = 0; from < bytes.length; from += slice) {
      rest = Buffer.from(print.take(Buffer.concat([rest, bytes.subarray(from, from + slice)])));
      await print.flush();
    }
  };
  for (;;) {
    // The state first: what is written until then is in the log that is read next.
    run = (await parts.store.runs.get(run.job, run.id))?.value ?? run;
    const ended = run.state === 'retrying' && run.attempts.length >= number;
    const over = isFinal(run.state) || run.attempts.length > number || ended;
    for (let bytes = await parts.store.attempts.log(id, offset); bytes && bytes.length > 0; ) {
      await take(bytes);
      bytes = await parts.store.attempts.log(id, offset);
    }
    if (over || !follow) break;
    await sleep(250);
  }
  if (offset === 0) {
    const short = (await parts.store.attempts.result(id))?.log.text;
    if (short) await take(Buffer.from(short));
  }
  return run;
}

/** Where records go: gathered, and written a piece of the log at a time, no faster than the reader takes them. */
interface Printer {
  /** @returns the bytes at the end that are not a whole record yet */
  take(bytes: Buffer): Buffer;
  add(record: LogRecord): void;
  flush(): Promise<void>;
}

/** Records are made of this many bytes at once: millions of lines then take no more memory than thousands. */
const slice = 128 * 1024;
const lineEnd = Buffer.from('\n');

function printer({ timestamps, json }: LogOptions): Printer {
  const { stdout } = process;
  let fresh = true;
  let parts: Buffer[] = [];
  const plain = !json && !timestamps && !stdout.isTTY;
  const add = (text: string) => parts.push(Buffer.from(stdout.isTTY ? terminalText(text) : text));
  const printer: Printer = {
    take(bytes) {
      if (plain) {
        const read = readText(bytes, fresh);
        fresh = read.fresh;
        parts.push(read.text);
        return read.rest;
      }
      const { records, rest } = readLog(bytes);
      records.forEach(printer.add);
      return rest;
    },
    add(record) {
      const { from, continues, bytes } = record;
      if (json) {
        const exact = isUtf8(bytes) ? {} : { base64: bytes.toString('base64') };
        add(`${JSON.stringify({ at: iso(record.at), from, continues, text: bytes.toString(), ...exact })}\n`);
        return;
      }
      const shim = from === 'lamplighter';
      if (shim || (fresh && timestamps)) add((timestamps ? `${iso(record.at)} ` : '') + (shim ? ours : ''));
      if (stdout.isTTY) add(bytes.toString());
      else parts.push(bytes);
      if (!continues) parts.push(lineEnd);
      fresh = !continues;
    },
    async flush() {
      const all = Buffer.concat(parts);
      parts = [];
      if (all.length === 0 || stdout.write(all)) return;
      // A reader such as `head` may leave before it has taken all.
      const { promise, resolve } = Promise.withResolvers<void>();
      for (const event of ['drain', 'close', 'error']) stdout.once(event, resolve);
      await promise;
      for (const event of ['drain', 'close', 'error']) stdout.off(event, resolve);
    },
  };
  return printer;
}

function readAttempt(text: string, run: Run): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= run.attempts.length) return number;
  throw new Refusal(`${runName(run)} has ${run.attempts.length} attempts; there is no attempt "${text}".`);
}
