import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AlertSettings, alertSettings, noAlerts } from '../shared/alerts/settings.ts';

/** alerts.yaml as `npm run package` writes it down: names of channels and secrets. */
export const alertsFile = 'alerts.json';

/** The settings that this package was made with; a package of an older version has none. */
export async function readPackagedAlerts(folder: string): Promise<AlertSettings> {
  try {
    return alertSettings.parse(JSON.parse(await readFile(join(folder, alertsFile), 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return noAlerts;
    throw new Error(`${alertsFile} of the package cannot be read: make it again with npm run package`, {
      cause: error,
    });
  }
}
