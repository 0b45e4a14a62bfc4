import type { RunJson } from '../../shared/api/json.ts';
import { isFinal } from '../../shared/run/run.ts';
import type { Client } from '../client.ts';
import { findRun, runPath } from '../find.ts';
import type { Here } from '../here.ts';
import { type Printer, printer } from '../printer.ts';
import { Refusal } from '../refusal.ts';
import { runShape } from '../shapes.ts';
import { lookEvery } from '../wait.ts';

export interface LogOptions {
  follow?: boolean;
  attempt?: string;
  timestamps?: boolean;
  json?: boolean;
}

/** `lamp logs`: what a run wrote, and with -f what it writes until it is over, further attempts included. */
export async function logs(here: Here, name: string, options: LogOptions): Promise<void> {
  const client = await here.connect();
  let run = await findRun(client, name);
  const print = printer(options);
  let number = options.attempt === undefined ? run.attempts.length : readAttempt(options.attempt, run);
  if (number === 0 && !options.follow) {
    const why = run.reason ? `: ${run.reason}` : '';
    console.error(`${run.run} has not started (${run.state}${why}).`);
    return;
  }
  if (number === 0) number = 1;
  for (;;) {
    run = await printAttempt(here, client, run, number, print, options.follow === true);
    const more =
      options.follow && options.attempt === undefined && (!isFinal(run.state) || run.attempts.length > number);
    if (!more) break;
    number += 1;
    await print.say(`attempt ${number}`, here.now());
  }
  if (options.follow && !options.json) console.error(`${run.run} ${run.state}${run.reason ? `: ${run.reason}` : ''}`);
}

/** @returns the run as it was when the attempt's log was complete */
async function printAttempt(
  here: Here,
  client: Client,
  first: RunJson,
  number: number,
  print: Printer,
  follow: boolean,
): Promise<RunJson> {
  const read = () => client.get(runPath(first.run), runShape);
  let run = first;
  for (; run.attempts.length < number && !isFinal(run.state); run = await read()) await here.sleep(lookEvery(client));
  if (run.attempts.length < number) return run;
  const path = runPath(run.run, `/attempts/${number}/log`);
  for (let offset = 0; ; ) {
    const { bytes, next, complete } = await client.log(`${path}?offset=${offset}`);
    offset = next;
    await print.take(bytes);
    if (complete) return read();
    if (bytes.length > 0) continue;
    if (!follow) return run;
    await here.sleep(client.remote ? 1_000 : 250);
  }
}

function readAttempt(text: string, run: RunJson): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= run.attempts.length) return number;
  throw new Refusal(`${run.run} has ${run.attempts.length} attempts; there is no attempt "${text}".`);
}
