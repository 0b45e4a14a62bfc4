import type { Command } from 'commander';
import type { Here } from '../here.ts';
import { by, json, wholeNumber, why } from './option.ts';

/** The commands that act on jobs and runs; each is kept in the audit. Each loads its code when it is called. */
export function actCommands(program: Command, here: () => Here): void {
  program
    .command('run')
    .description('run a job now')
    .argument('<job>')
    .argument('[args...]', 'after --: appended to the job’s command')
    .option('--wait', "until it is over; exits with the job's exit code")
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (job: string, args: string[], options) =>
      (await import('../commands/act.ts')).run(here(), job, args, options),
    );

  program
    .command('rerun')
    .alias('retry')
    .description('run the slot of a past run again, with the same arguments')
    .argument('<run>')
    .option('--wait', "until it is over; exits with the job's exit code")
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (run: string, options) => (await import('../commands/act.ts')).rerunRun(here(), run, options));

  program
    .command('cancel')
    .description('end runs, or keep them from starting')
    .argument('[runs...]')
    .option('--backfill <job>', 'all runs of the backfills of this job that are not over')
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (runs: string[], options) => (await import('../commands/cancel.ts')).cancel(here(), runs, options));

  program
    .command('pause')
    .description('skip the slots of a job from now on')
    .argument('<job>')
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (job: string, options) => (await import('../commands/act.ts')).pause(here(), job, options));

  program
    .command('resume')
    .description('end a pause')
    .argument('<job>')
    .option('--no-catch-up', 'do not run what the pause skipped')
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (job: string, options) => (await import('../commands/act.ts')).resume(here(), job, options));

  program
    .command('backfill')
    .description('run the past slots of a range that have not succeeded yet')
    .argument('<job>')
    .argument('[args...]', 'after --: appended to the job’s command')
    .option('--from <time>', 'first day or instant')
    .option('--to <time>', 'last day or instant, included')
    .option('--dates <file>', 'instead: days, one a line, on or off the schedule; - reads standard input')
    .option('--dry-run', 'say what would run, run nothing')
    .option('--wait', 'until all are over; exits with 1 when one did not succeed')
    .option('--max <number>', 'refuse more runs than this', wholeNumber, 1_000)
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (job: string, args: string[], options) =>
      (await import('../commands/backfill.ts')).backfill(here(), job, args, options),
    );
}
