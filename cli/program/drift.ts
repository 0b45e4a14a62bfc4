import { type Command, Option } from 'commander';
import { type Flags, type Here, machineOf } from '../here.ts';
import { atLeastOne, by, json, why } from './option.ts';

/** The commands about results that quietly change. Each loads its code when it is called. */
export function driftCommands(program: Command, flags: () => Flags, here: () => Here): void {
  program
    .command('drift')
    .description('what quietly changed in the results of a job, since when, and why')
    .argument('[job]')
    .option('--all', 'also those that are answered or over', false)
    .option('--finding <id>', 'this one')
    .addOption(
      new Option('--answer <answer>', 'expected: the new norm · once: not again · real: a problem').choices([
        'expected',
        'once',
        'real',
      ]),
    )
    .option('--snooze <span>', 'no reminder for 12h, 7d …')
    .option('--svg <folder>', 'draw each finding into this folder')
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (job: string | undefined, options) =>
      (await import('../commands/drift.ts')).drift(here(), job, options),
    );

  const baseline = program.command('baseline').description('what the metrics of a job are compared with');

  baseline
    .command('show')
    .description('each metric: learning, watching or drifted, and since when')
    .argument('<job>')
    .addOption(json())
    .action(async (job: string, options) => (await import('../commands/baseline.ts')).show(here(), job, options));

  baseline
    .command('pin')
    .description('take the values since a day as the norm')
    .argument('<job>')
    .option('--since <time>', 'the first good day or instant')
    .option('--metric <name>', 'only this one')
    .addOption(why())
    .addOption(by())
    .action(async (job: string, options) => (await import('../commands/baseline.ts')).pin(here(), job, options));

  baseline
    .command('reset')
    .description('forget the values, and learn anew')
    .argument('<job>')
    .option('--metric <name>', 'only this one')
    .addOption(why())
    .addOption(by())
    .action(async (job: string, options) => (await import('../commands/baseline.ts')).reset(here(), job, options));

  program
    .command('replay')
    .description(
      'run a job on its frozen examples, side effects off; exits with 1 when it answers otherwise than accepted',
    )
    .argument('<job>')
    .option('--accept', 'take the answers of now as the accepted ones', false)
    .option(
      '--repeat <number>',
      'with --accept: replays of each example, to learn what differs by itself',
      atLeastOne,
      3,
    )
    .option('--last', 'run nothing here: show the latest replays that the service has done', false)
    .option('--now', 'run nothing here: the service does one as soon as it can', false)
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (job: string, options) => {
      if (options.now) await (await import('../replay/last.ts')).askNow(here(), job, options);
      else if (options.last)
        process.exitCode = await (await import('../replay/last.ts')).showLast(here(), job, options);
      else {
        const { replay } = await import('../commands/replay.ts');
        process.exitCode = await replay(machineOf('replay', flags()), job, options);
      }
    });

  program
    .command('detect')
    .description('look for drift in series of metrics: JSON lines on standard input, flags on standard output')
    .option('--budget <number>', 'false alerts a job and year', atLeastOne, 1)
    .option('--metrics <number>', 'metrics a job, which share the budget', atLeastOne, 8)
    .option('--notes', 'also single odd values, which are outside the budget', false)
    .action(async (options) => {
      machineOf('detect', flags());
      const { detectLines } = await import('../commands/detect.ts');
      process.exitCode = await detectLines(process.stdin, process.stdout, options);
    });
}
