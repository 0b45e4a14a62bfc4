import { readFileSync } from 'node:fs';
import { composeLocal } from '../../cli/compose.ts';
import { readFolder } from '../../cli/folder.ts';
import { findHome } from '../../cli/home.ts';
import { type Loop, loop } from '../../cli/loop.ts';
import { tell } from '../../shared/journal.ts';
import { problemText } from '../../shared/manifest/problem.ts';
import { register } from '../../shared/register.ts';

/**
 * One host, as `lamp start` runs it, at a store that is given:
 *
 *   node test/faults/host.ts HOME CONNECTION CLOCK-FILE      the file holds the ms by which this host's clock is wrong
 */
const [folder = '', connection = '', clockFile = ''] = process.argv.slice(2);
const clock = () => Date.now() + Number(readFileSync(clockFile, 'utf8') || 0);

const home = findHome(folder);
const { catalog, problems } = await readFolder(home.jobs);
if (problems.length > 0) throw new Error(problems.map(problemText).join('\n'));

let running: Loop | undefined;
const parts = await composeLocal(home, {
  connection,
  catalog: () => catalog,
  journal(event) {
    const line = tell(event);
    if (line !== undefined) console.log(`${new Date().toISOString()} ${process.pid} ${line}`);
  },
  ended: (attempt) => running?.ended(attempt),
});
for (;;) {
  try {
    await parts.store.prepare();
    await register(parts, catalog, clock());
    break;
  } catch (error) {
    console.log(`${new Date().toISOString()} ${process.pid} not ready: ${error}`);
  }
}
running = loop(parts, () => 8 - parts.executor.running(), clock);
