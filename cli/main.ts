import { exitOf, explain } from './explain.ts';
import { hereOf } from './here.ts';
import { lampProgram } from './program.ts';
import { guardConsole } from './terminal.ts';

/** The command line of one process. */

guardConsole();

// Node before 24.15 calls its SQLite experimental on each start: of no use to the one who reads our output.
const { emitWarning } = process;
process.emitWarning = ((warning: string | Error, ...more: []) => {
  if (!String(warning).includes('SQLite is an experimental feature')) emitWarning.call(process, warning, ...more);
}) as typeof emitWarning;

// The one that reads our output may have enough of it: lamp runs | head -1
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
  });
}

// Help and version are no mistakes; everything else that commander refuses is a wrong command line.
const program = lampProgram(hereOf, (error) =>
  process.exit(error.exitCode === 0 || error.code === 'commander.help' ? 0 : 2),
);

if (process.argv.length <= 2) program.outputHelp();
else await run();

async function run(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    console.error(explain(error));
    process.exitCode = exitOf(error);
  }
}
