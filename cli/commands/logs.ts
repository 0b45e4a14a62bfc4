import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal, type Run, runName } from '../../shared/run/run.ts';
import type { AttemptId } from '../../shared/store/attempts.ts';
import type { Home } from '../home.ts';
import { findRun, openParts, type Session } from '../host/session.ts';
import { type Printer, printer } from '../printer.ts';
import { Refusal } from '../refusal.ts';

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
    await print.say(`attempt ${number}`, Date.now());
  }
  if (options.follow && !options.json)
    console.error(`${runName(run)} ${run.state}${run.reason ? `: ${run.reason}` : ''}`);
}

/** @returns the run as it was when the attempt's log was complete */
async function printAttempt(parts: Session, first: Run, number: number, print: Printer, follow: boolean): Promise<Run> {
  const id: AttemptId = { job: first.job, run: first.id, attempt: number };
  let run = first;
  let offset = 0;
  const take = async (bytes: Buffer) => {
    offset += bytes.length;
    await print.take(bytes);
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

function readAttempt(text: string, run: Run): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= run.attempts.length) return number;
  throw new Refusal(`${runName(run)} has ${run.attempts.length} attempts; there is no attempt "${text}".`);
}
