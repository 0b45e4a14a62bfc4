import type { Home } from '../home.ts';
import { backup, type Kept, restore } from '../host/backup.ts';
import { printJson } from '../json.ts';
import { count } from '../words.ts';

/** `lamp backup`: all of the folder's store in one file, while the host goes on. */
export async function makeBackup(home: Home, file: string, { json }: { json?: boolean }): Promise<void> {
  const kept = await backup(home, file);
  if (json) return printJson({ file, ...kept });
  console.log(`${file} holds ${said(kept)}. Put it back with: lamp restore ${file}`);
}

/** `lamp restore`: such a file in the place of the folder's store. */
export async function restoreBackup(home: Home, file: string, { json }: { json?: boolean }): Promise<void> {
  const { aside, ...kept } = await restore(home, file);
  if (json) return printJson({ file, ...kept, aside });
  console.log(`${said(kept)} of ${file} are in ${home.state} now. Start the host with: npm start`);
  if (aside !== null) console.log(`What was there lies in ${aside}: delete it when it is not needed any more.`);
}

const said = ({ runs, files, bytes }: Kept) =>
  `${count(runs, 'run')} and ${count(files, 'file')} (${(bytes / 1e6).toFixed(1)} MB)`;
