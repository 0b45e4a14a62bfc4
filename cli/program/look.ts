import { type Command, Option } from 'commander';
import type { Here } from '../here.ts';
import { atLeastOne, json } from './option.ts';

/** The commands that only look. Each loads its code when it is called. */
export function lookCommands(program: Command, here: () => Here): void {
  program
    .command('jobs')
    .description('list the jobs: last run, next run, owner')
    .addOption(json())
    .action(async (options) => (await import('../commands/jobs.ts')).jobs(here(), options));

  program
    .command('next')
    .description('when a job, every job, or any schedule runs next, clock changes included')
    .argument('[job]')
    .option('-n <number>', 'how many', atLeastOne, 10)
    .option('--after <instant>', 'from then on instead of now, e.g. 2026-03-28T12:00Z')
    .option('--cron <expression>', 'explain this schedule instead of a job')
    .option('--time-zone <zone>', 'IANA time zone for --cron', 'UTC')
    .addOption(json())
    .action(async (job: string | undefined, options) =>
      (await import('../commands/next.ts')).next(here(), job, options),
    );

  program
    .command('runs')
    .description('the history, newest first')
    .argument('[job]')
    .option('--state <states>', 'only these, e.g. failed,lost')
    .option('--since <time>', '2026-11-20, an instant, or an age such as 2h or 7d')
    .option('--limit <number>', 'at most this many', atLeastOne, 30)
    .addOption(
      new Option('--kind <kind>', 'replay: those on frozen examples, which fill no slot')
        .choices(['run', 'replay'])
        .default('run'),
    )
    .addOption(json())
    .action(async (job: string | undefined, options) =>
      (await import('../commands/runs.ts')).runs(here(), job, options),
    );

  program
    .command('show')
    .description('everything about one run')
    .argument('<run>')
    .addOption(json())
    .action(async (run: string, options) => (await import('../commands/show.ts')).show(here(), run, options));

  program
    .command('logs')
    .description('what a run wrote')
    .argument('<run>')
    .option('-f, --follow', 'go on until the run is over')
    .option('-t, --timestamps', 'with the time of each line')
    .option('--attempt <number>', 'of this attempt instead of the last')
    .addOption(json())
    .action(async (run: string, options) => (await import('../commands/logs.ts')).logs(here(), run, options));

  program
    .command('events')
    .description('who did what to a job, when and why: deployed, paused, run by hand, cancelled …')
    .argument('[job]')
    .option('--since <time>', '2026-11-20, an instant, or an age such as 2h or 7d')
    .option('--limit <number>', 'at most this many', atLeastOne, 30)
    .addOption(json())
    .action(async (job: string | undefined, options) =>
      (await import('../commands/events.ts')).events(here(), job, options),
    );

  program
    .command('metrics')
    .description('the metrics of a job, or the values of one, newest first')
    .argument('<job>')
    .argument('[metric]')
    .option('--limit <number>', 'at most this many', atLeastOne, 30)
    .addOption(json())
    .action(async (job: string, metric: string | undefined, options) =>
      (await import('../commands/metrics.ts')).metrics(here(), job, metric, options),
    );

  program
    .command('health')
    .description('whether the service works; exits with 1 when it does not tick, or something is stuck')
    .addOption(json())
    .action(async (options) => {
      process.exitCode = (await (await import('../commands/health.ts')).health(here(), options)) ? 0 : 1;
    });

  program
    .command('diagnose')
    .description('collect what support needs to know of a run into one zip or folder, without values of secrets')
    .argument('<run>')
    .option('--to <path>', 'a file that ends in .zip, or a folder (default: diagnose-<run>.zip here)')
    .option('--print', 'only print what it would hold')
    .addOption(json())
    .action(async (run: string, options) =>
      (await import('../commands/diagnose.ts')).diagnose(here(), run, options, program.version() ?? ''),
    );

  const audit = program.command('audit').description('the record of who did what, and whether it is whole');
  audit
    .command('verify')
    .description('check every link of the audit; names the first that was changed, removed, inserted or reordered')
    .option('--from <day>', 'first day, UTC, e.g. 2026-11-01')
    .option('--to <day>', 'last day, UTC')
    .option('--head <head>', 'what an earlier check printed, kept elsewhere')
    .addOption(json())
    .action(async (options) => {
      const whole = await (await import('../commands/audit.ts')).verifyAudit(here(), options);
      process.exitCode = whole ? 0 : 1;
    });
}
