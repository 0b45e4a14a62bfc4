import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Alerts, openAlerts } from '../../shared/alerts/alerts.ts';
import { BadAlertSettings, readAlertSettings } from '../../shared/alerts/file.ts';
import { type AlertSettings, noAlerts } from '../../shared/alerts/settings.ts';
import type { Job } from '../../shared/job/job.ts';
import type { Problem } from '../../shared/manifest/problem.ts';
import { nearest } from '../../shared/nearest.ts';
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

/**
 * What is wrong with alerts.yaml, and the channels that jobs name and it does not have.
 * @param folder of jobs; the file lies beside it. Without the file no channel is expected
 */
export async function alertProblems(folder: string, jobs: readonly Job[]): Promise<Problem[]> {
  const file = alertsFile({ root: dirname(folder) });
  let settings: AlertSettings;
  try {
    settings = readAlertSettings(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    if (!(error instanceof BadAlertSettings)) throw error;
    return error.problems.map((message) => ({ file, code: 'alert-settings', message }));
  }
  const known = Object.keys(settings.channels);
  return jobs.flatMap(({ name, alerts }) =>
    [alerts.teams, alerts.slack].flatMap((channel): Problem[] => {
      if (channel === undefined || known.includes(channel)) return [];
      const near = nearest(channel, known);
      const hint = near
        ? `did you mean ${near}?`
        : `add it to ${file}; until then its alerts go to the default channels`;
      const message = `expected a channel of alerts.yaml, found "${channel}"`;
      return [
        {
          file: join(folder, name, 'job.yaml'),
          path: 'alerts',
          code: 'unknown-channel',
          message,
          hint,
          severity: 'warning',
        },
      ];
    }),
  );
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
