import { Command } from 'commander';
import { exampleText } from './examples.ts';
import { explain } from './explain.ts';
import { findHome } from './home.ts';
import { actCommands } from './program/act.ts';
import { alertsCommands } from './program/alerts.ts';
import { azureCommands } from './program/azure.ts';
import { driftCommands } from './program/drift.ts';
import { hostCommands } from './program/host.ts';
import { lookCommands } from './program/look.ts';
import { guardConsole } from './terminal.ts';

/** The command line. Its commands are in `program/`. */

guardConsole();

const program = new Command('lamp')
  .description(
    'Lamplighter runs Python jobs on schedule and says so when one fails, does not start, or quietly gets worse.',
  )
  .version('0.1.0', '-V, --version')
  .option('--home <folder>', 'folder that holds jobs/ (default: the nearest one upwards; LAMPLIGHTER_HOME)')
  .showHelpAfterError('Add --help to see its usage.')
  // Help and version are no mistakes; everything else that commander refuses is a wrong command line.
  .exitOverride((error) => process.exit(error.exitCode === 0 || error.code === 'commander.help' ? 0 : 2))
  .addHelpText(
    'after',
    `
A run is named <job>.<slot>, as lamp runs prints it; where a run is asked for, a job's name means its newest run.
Exit codes: 0 done · 1 refused, or something is wrong · 2 the command line is wrong · with --wait the job's own.`,
  );

const home = () => findHome(program.opts<{ home?: string }>().home);

hostCommands(program, home);
lookCommands(program, home);
actCommands(program, home);
alertsCommands(program, home);
driftCommands(program, home);
azureCommands(program, home);

for (const command of program.commands) command.addHelpText('after', exampleText(command.name()));

// The one that reads our output may have enough of it: lamp runs | head -1
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
  });
}

if (process.argv.length <= 2) program.outputHelp();
else await run();

async function run(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}
