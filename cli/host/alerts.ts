import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Alerts, openAlerts } from '../../shared/alerts/alerts.ts';
import { BadAlertSettings, readAlertSettings } from '../../shared/alerts/file.ts';
import { type AlertSettings, noAlerts } from '../../shared/alerts/settings.ts';
import type { Parts } from '../../shared/parts.ts';
import type { Home } from '../home.ts';
import { Refusal } from '../refusal.ts';

/** Lies beside jobs/, and in Git: it holds names of secrets, never their values. */
export const alertsFile = (home: Pick<Home, 'root'>) => join(home.root, 'alerts.yaml');

/** The settings of alerts; a file that is missing means none. @throws Refusal naming every problem */
export async function readLocalAlerts(home: Pick<Home, 'root'>): Promise<AlertSettings> {
  const file = alertsFile(home);
  try {
    return readAlertSettings(await readFile(file, 'utf8'), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return noAlerts;
    throw error instanceof BadAlertSettings ? new Refusal(error.message) : error;
  }
}

/** What this machine alerts with. @throws Refusal */
export async function localAlerts(home: Home, { vault, store }: Pick<Parts, 'vault' | 'store'>): Promise<Alerts> {
  const settings = await readLocalAlerts(home);
  try {
    return openAlerts({ settings, vault, keys: store.keys, now: Date.now });
  } catch (error) {
    throw new Refusal(`${alertsFile(home)}: ${(error as Error).message}`);
  }
}
