import { readFileSync } from 'node:fs';
import { findHome } from '../../cli/home.ts';
import { composeLocal } from '../../cli/host/compose.ts';
import { readFolder } from '../../cli/host/folder.ts';
import { type Loop, loop } from '../../cli/host/loop.ts';
import { openConnection, openFolder } from '../../cli/host/store.ts';
import { eventText } from '../../shared/events.ts';
import { problemText } from '../../shared/manifest/problem.ts';
import { register } from '../../shared/pipeline/deployments.ts';

/**
 * One host, as `lamp start` runs it, at a store that is given, or without a connection (`''`) at the folder's own:
 *
 *   node test/faults/host.ts HOME CONNECTION CLOCK-FILE [IMAGE]
 *
 * The file holds the ms by which this host's clock is wrong. With an image jobs run in containers.
 */
const [folder = '', connection = '', clockFile = '', image] = process.argv.slice(2);
const clock = () => Date.now() + Number(readFileSync(clockFile, 'utf8') || 0);

const home = findHome(folder);
const { catalog, problems } = await readFolder(home.jobs);
if (problems.length > 0) throw new Error(problems.map(problemText).join('\n'));

let running: Loop | undefined;
const parts = await composeLocal(home, {
  opened: connection === '' ? await openFolder(home) : await openConnection(connection),
  catalog: () => catalog,
  emit(event) {
    const line = eventText(event);
    if (line !== undefined) console.log(`${new Date().toISOString()} ${process.pid} ${line}`);
  },
  ended: (attempt) => running?.ended(attempt),
  ...(image === undefined ? {} : { executor: 'docker', image }),
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
// Without an answer now it goes on trying.
if (image !== undefined) await parts.docker.adopt().catch((error) => console.log(`containers: ${error.message}`));
running = loop(parts, () => (image === undefined ? 8 : 4) - parts.executor.running(), clock);
