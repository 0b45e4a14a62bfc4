import { Command, type CommanderError } from 'commander';
import { exampleText } from './examples.ts';
import type { Flags, Here } from './here.ts';
import { actCommands } from './program/act.ts';
import { alertsCommands } from './program/alerts.ts';
import { azureCommands } from './program/azure.ts';
import { driftCommands } from './program/drift.ts';
import { hostCommands } from './program/host.ts';
import { lookCommands } from './program/look.ts';

/**
 * The command line. Its commands are in `program/`.
 * @param make where a command works, by the options of `lamp` itself
 * @param exit what happens when the line is wrong, or asks for help
 */
export function lampProgram(make: (flags: Flags) => Here, exit: (error: CommanderError) => void): Command {
  const program = new Command('lamp')
    .description(
      'Lamplighter runs Python jobs on schedule and says so when one fails, does not start, or quietly gets worse.',
    )
    .version('0.1.0', '-V, --version')
    .option('--home <folder>', 'folder that holds jobs/ (default: the nearest one upwards; LAMPLIGHTER_HOME)')
    .option('--app <name>', 'an installation in Azure: name or address (default: as lamp use says; LAMPLIGHTER_APP)')
    .option('--device-code', 'sign in for --app by a code in a browser, without the Azure CLI')
    .showHelpAfterError('Add --help to see its usage.')
    .exitOverride(exit)
    .addHelpText(
      'after',
      `
A run is named <job>.<slot>, as lamp runs prints it; where a run is asked for, a job's name means its newest run.
Exit codes: 0 done · 1 refused, or something is wrong · 2 the command line is wrong · 3 not signed in, or without the
role · 4 no answer from the store or the app · with --wait the job's own.`,
    );
  const flags = () => program.opts<Flags>();
  const here = () => make(flags());

  hostCommands(program, flags, here);
  lookCommands(program, here);
  actCommands(program, here);
  alertsCommands(program, flags, here);
  driftCommands(program, flags, here);
  azureCommands(program, flags, here);

  for (const command of program.commands) command.addHelpText('after', exampleText(command.name()));
  return program;
}
