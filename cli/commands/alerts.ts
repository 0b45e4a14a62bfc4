import { styleText } from 'node:util';
import { z } from 'zod';
import { visible } from '../../shared/text.ts';
import { findRun, query, runPath } from '../find.ts';
import type { Here } from '../here.ts';
import { alertsFile } from '../host/alerts.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { letterShape, listOf } from '../shapes.ts';
import { printTable } from '../table.ts';

interface Json {
  json?: boolean;
}

const trial = z.looseObject({ channel: z.string(), place: z.string(), error: z.string().nullable() });

/** `lamp alerts test`: sends a test by one channel or all. @returns whether each took it */
export async function test(here: Here, channel: string | undefined, { json }: Json): Promise<boolean> {
  const client = await here.connect();
  const { items } = await client.post('/alerts/test', { channel }, listOf(trial));
  if (json) printJson(items);
  else {
    const rows = items.map(({ channel: name, place, error }) => [
      name,
      error === null ? styleText('green', 'accepted') : styleText('red', 'failed'),
      visible(error === null ? place : `${place}: ${error}`),
    ]);
    printTable(['CHANNEL', 'TEST', 'WHERE'], rows);
  }
  return items.every(({ error }) => error === null);
}

const previewed = z.object({
  message: z.looseObject({}),
  text: z.string(),
  channels: z.array(
    z.looseObject({
      channel: z.string(),
      to: z.array(z.string()),
      parts: z.array(z.looseObject({ type: z.string(), text: z.string() })),
    }),
  ),
});

/** `lamp alerts preview`: what each channel would be sent about a run; nothing is sent. */
export async function preview(here: Here, name: string, { json }: Json): Promise<void> {
  const client = await here.connect();
  const { run } = await findRun(client, name);
  const { message, text, channels } = await client.get(runPath(run, '/alert'), previewed);
  if (json) return printJson({ message, channels });
  if (channels.length === 0) console.log(`No channel would get this; name one in ${alertsFile(here.home)}.\n`);
  console.log(visible(text, '\n'));
  for (const { channel, to, parts } of channels) {
    for (const part of parts) {
      const size = `${part.type}, ${Buffer.byteLength(part.text)} bytes`;
      console.log(`\n${styleText('bold', `${channel} ${to.join(', ')}`)} ${styleText('dim', size)}`);
      const pretty = part.type === 'application/json' ? JSON.stringify(JSON.parse(part.text), null, 2) : part.text;
      console.log(visible(pretty, '\n'));
    }
  }
}

/** The API gives no more at once. */
const most = 1_000;

/** `lamp alerts sent`: what waits to be sent, and what was sent or given up in the last days; newest first. */
export async function sent(here: Here, { json, limit }: Json & { limit: number }): Promise<void> {
  if (limit > most) throw new Refusal(`--limit ${limit}: expected at most ${most}.`);
  const client = await here.connect();
  const { items } = await client.get(`/alerts${query({ limit })}`, listOf(letterShape));
  if (json) return printJson(items);
  if (items.length === 0) return console.log('No alert waits, and none was sent in the last days.');
  const rows = items.map(({ createdAt, channel, state, tries, key, error }) => [
    createdAt.slice(0, 19).concat('Z'),
    channel,
    state,
    String(tries),
    visible(error === null ? key : `${key}: ${error}`),
  ]);
  printTable(['MADE', 'CHANNEL', 'STATE', 'TRIES', 'MESSAGE'], rows);
}
