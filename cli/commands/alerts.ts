import { styleText } from 'node:util';
import { compose } from '../../shared/alerts/compose.ts';
import { opened } from '../../shared/alerts/incident.ts';
import { sightings } from '../../shared/alerts/judge.ts';
import { routesOf } from '../../shared/alerts/route.ts';
import { storyOf } from '../../shared/alerts/story.ts';
import { tryChannel } from '../../shared/alerts/try.ts';
import { iso } from '../../shared/instant.ts';
import { runName } from '../../shared/run/run.ts';
import type { Letter } from '../../shared/store/outbox.ts';
import { visible } from '../../shared/text.ts';
import type { Home } from '../home.ts';
import { alertsFile, localAlerts } from '../host/alerts.ts';
import { findRun, openParts } from '../host/session.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { printTable } from '../table.ts';

interface Json {
  json?: boolean;
}

/** `lamp alerts test`: sends a test by one channel or all. @returns whether each took it */
export async function test(home: Home, name: string | undefined, { json }: Json): Promise<boolean> {
  const session = await openParts(home);
  const alerts = await localAlerts(home, session);
  const names = [...alerts.channels.keys()];
  if (names.length === 0) throw new Refusal(`There is no channel: name one in ${alertsFile(home)}, see docs/alerts.md`);
  if (name !== undefined && !alerts.channels.has(name)) {
    throw new Refusal(`There is no channel "${name}". There are: ${names.join(', ')}`);
  }
  const wanted = [...alerts.channels.values()].filter((channel) => name === undefined || channel.name === name);
  const trials = await Promise.all(wanted.map((channel) => tryChannel(alerts, channel, home.person, Date.now())));
  if (json) printJson(trials);
  else {
    const rows = trials.map(({ channel, place, error }) => [
      channel,
      error === null ? styleText('green', 'accepted') : styleText('red', 'failed'),
      visible(error === null ? place : `${place}: ${error}`),
    ]);
    printTable(['CHANNEL', 'TEST', 'WHERE'], rows);
  }
  return trials.every(({ error }) => error === null);
}

/** `lamp alerts preview`: what each channel would be sent about a run; nothing is sent. */
export async function preview(home: Home, name: string, { json }: Json): Promise<void> {
  const session = await openParts(home);
  const alerts = await localAlerts(home, session);
  const run = await findRun(session, name);
  const now = Date.now();
  const job = session.catalog().get(run.job)?.job;
  const [seen] = sightings(run, job && { ...job, status: 'production' }, now);
  if (!seen) throw new Refusal(`${runName(run)} is ${run.state}: nothing about it would be reported.`);
  const incident = opened(seen, now);
  const message = compose(
    `${incident.id}.1`,
    [await storyOf(session, incident)],
    (await alerts.links?.of(incident, 'preview', now)) ?? [],
    now,
  );
  const routes = routesOf(incident, job, alerts.settings);
  const previews = routes.flatMap(({ channel, to }) => {
    const found = alerts.channels.get(channel);
    return found ? [{ channel, to, ...found.preview(message, to) }] : [];
  });
  if (json) return printJson({ message: { ...message, at: iso(message.at) }, channels: previews });
  if (previews.length === 0) console.log(`No channel would get this; name one in ${alertsFile(home)}.\n`);
  const { messageText } = await import('../../shared/alerts/message.ts');
  console.log(visible(messageText(message), '\n'));
  for (const { channel, to, parts } of previews) {
    for (const { type, text } of parts) {
      console.log(
        `\n${styleText('bold', `${channel} ${to.join(', ')}`)} ${styleText('dim', `${type}, ${Buffer.byteLength(text)} bytes`)}`,
      );
      console.log(visible(type === 'application/json' ? JSON.stringify(JSON.parse(text), null, 2) : text, '\n'));
    }
  }
}

/** `lamp alerts sent`: what waits to be sent, and what was sent or given up in the last days; newest first. */
export async function sent(home: Home, { json, limit }: Json & { limit: number }): Promise<void> {
  const { store } = await openParts(home);
  const letters: Letter[] = [];
  for await (const { value } of store.outbox.waiting()) letters.push(value);
  for await (const letter of store.outbox.done()) letters.push(letter);
  const listed = letters.toSorted((a, b) => b.createdAt - a.createdAt).slice(0, limit);
  if (json) {
    const lines = listed.map(({ key, channel, to, state, tries, error, createdAt, doneAt, notBefore }) => {
      const next = state === 'waiting' ? iso(notBefore) : null;
      return {
        key,
        channel,
        to,
        state,
        tries,
        error,
        createdAt: iso(createdAt),
        doneAt: doneAt && iso(doneAt),
        nextTry: next,
      };
    });
    return printJson(lines);
  }
  if (listed.length === 0) return console.log('No alert waits, and none was sent in the last days.');
  const rows = listed.map(({ createdAt, channel, state, tries, key, error }) => [
    iso(createdAt).slice(0, 19).concat('Z'),
    channel,
    state,
    String(tries),
    visible(error === null ? key : `${key}: ${error}`),
  ]);
  printTable(['MADE', 'CHANNEL', 'STATE', 'TRIES', 'MESSAGE'], rows);
}
