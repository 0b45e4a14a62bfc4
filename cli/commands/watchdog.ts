import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { openAlerts } from '../../shared/alerts/alerts.ts';
import type { Channel } from '../../shared/alerts/channels/channel.ts';
import type { Message } from '../../shared/alerts/message.ts';
import { type WatchdogState, watchdog, watchdogMessage } from '../../shared/alerts/watchdog.ts';
import { within } from '../../shared/clients/limit.ts';
import { type Instant, iso, minute, second } from '../../shared/instant.ts';
import { parseDuration } from '../../shared/job/duration.ts';
import { localVault } from '../../shared/secrets/local.ts';
import { visible } from '../../shared/text.ts';
import type { Home } from '../home.ts';
import { alertsFile, readLocalAlerts } from '../host/alerts.ts';
import { anyHost } from '../host/lock.ts';
import { hasStore, openConnection, openFolder } from '../host/store.ts';
import { Refusal } from '../refusal.ts';

export interface WatchdogOptions {
  after: string;
  once?: boolean;
}

const lookEvery = 30 * second;
const askMs = 10 * second;

/**
 * `lamp watchdog`: a process of its own that raises the alarm when no tick was seen for a while. It works when the store
 * is down with the service, and sends by itself: nothing of what it watches is needed.
 * @returns whether ticks come as they should
 */
export async function watch(home: Home, { after, once }: WatchdogOptions): Promise<boolean> {
  const afterMs = parseDuration(after);
  if (afterMs === undefined || afterMs < minute)
    throw new Refusal(`--after ${after}: expected a duration of 1m or more, e.g. 10m`);
  const settings = await readLocalAlerts(home);
  const vault = localVault({ file: home.secrets, repository: home.root, keyFile: join(home.state, 'versions.key') });
  const { channels } = openAlerts({ settings, vault, keys: async () => Buffer.alloc(32), now: Date.now });
  const named = [...new Set([...settings.default, ...settings.fallback])];
  if (named.length === 0)
    throw new Refusal(`There is no channel to raise the alarm by: name one under default in ${alertsFile(home)}`);
  const to = settings.fallbackEmail && settings.email ? { [settings.email]: [settings.fallbackEmail] } : {};
  const use = named.flatMap((name) => channels.get(name) ?? []);
  for (;;) {
    const right = await lookOnce(home, afterMs, (message) => raise(use, to, message));
    if (once) return right;
    await sleep(lookEvery);
  }
}

async function lookOnce(home: Home, afterMs: number, send: (message: Message) => Promise<boolean>): Promise<boolean> {
  const now = Date.now();
  const before = await readState(home, now);
  const { tick, trouble } = await lastTick(home);
  const { state, bark, silentMs } = watchdog(before, tick, afterMs, now);
  if (bark !== null) {
    const message = watchdogMessage(bark, state, silentMs, `${home.root} on ${hostname()}`, trouble, now);
    console.log(`${iso(now)} ${message.title}`);
    // Not one channel took it: the next look tries again.
    if (!(await send(message))) state.reportedAt = before.reportedAt;
  }
  await writeState(home, state);
  return silentMs <= afterMs;
}

/** By every channel: this is the one message that must not depend on one. */
async function raise(channels: readonly Channel[], to: Record<string, string[]>, message: Message): Promise<boolean> {
  const sent = await Promise.all(
    channels.map(async (channel) => {
      try {
        await channel.send(message, to[channel.name] ?? []);
        return true;
      } catch (error) {
        console.error(visible(`${iso(Date.now())} ${channel.name}: ${(error as Error).message}`));
        return false;
      }
    }),
  );
  return sent.includes(true);
}

async function lastTick(home: Home): Promise<{ tick: Instant | undefined; trouble: string | null }> {
  try {
    const given = process.env.LAMPLIGHTER_STORAGE;
    if (given === undefined && !hasStore(home)) return { tick: undefined, trouble: 'is not running' };
    const { store, close } = await (given === undefined ? openFolder(home) : openConnection(given));
    const tick = await within('the store', askMs, () => store.marks.get('heartbeat')).finally(close);
    return { tick, trouble: given !== undefined || (await anyHost(home.state)) ? null : 'is not running' };
  } catch (error) {
    return { tick: undefined, trouble: `cannot be read: ${(error as Error).message.split('\n')[0]}` };
  }
}

const stateFile = (home: Home) => join(home.state, 'watchdog.json');
const kept = z.object({ lastTick: z.number().nullable(), since: z.number(), reportedAt: z.number().nullable() });

async function readState(home: Home, now: Instant): Promise<WatchdogState> {
  try {
    return kept.parse(JSON.parse(await readFile(stateFile(home), 'utf8')));
  } catch {
    return { lastTick: null, since: now, reportedAt: null };
  }
}

/** Whole or not at all: a watchdog that is killed while it writes must not forget. */
async function writeState(home: Home, state: WatchdogState): Promise<void> {
  await mkdir(home.state, { recursive: true });
  const draft = `${stateFile(home)}.${process.pid}`;
  await writeFile(draft, JSON.stringify(state));
  await rename(draft, stateFile(home));
}
