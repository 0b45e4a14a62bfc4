import type { Command } from 'commander';
import { type Flags, type Here, machineOf } from '../here.ts';
import { atLeastOne, by, json, why } from './option.ts';

/** The commands about what is wrong, and who hears of it. Each loads its code when it is called. */
export function alertsCommands(program: Command, flags: () => Flags, here: () => Here): void {
  program
    .command('incidents')
    .description('what is wrong now, worst first')
    .argument('[job]')
    .option('--all', 'also what is over')
    .option('--limit <number>', 'at most this many', atLeastOne, 30)
    .addOption(json())
    .action(async (job: string | undefined, options) =>
      (await import('../commands/incidents.ts')).incidents(here(), job, options),
    );

  program
    .command('ack')
    .description('take an incident, or all of a job: it is escalated no further')
    .argument('<incident>', 'its id as lamp incidents prints it, or a job')
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (name: string, options) => (await import('../commands/incidents.ts')).ack(here(), name, options));

  program
    .command('resolve')
    .description('say that an incident, or all of a job, is over; mostly the next good run does')
    .argument('<incident>', 'its id as lamp incidents prints it, or a job')
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (name: string, options) =>
      (await import('../commands/incidents.ts')).resolveIncident(here(), name, options),
    );

  program
    .command('silence')
    .description('keep alerts of a job, a tag or all back for a time; without arguments: what is silent')
    .argument('[job]')
    .option('--tag <tag>', 'instead of a job: tier:critical, department:Sales, owner:dana@contoso.com')
    .option('--all', 'instead of a job: everything')
    .option('--for <duration>', 'how long, e.g. 30m, 2h, 1d')
    .option('--until <time>', 'instead of --for: a day or an instant')
    .option('--from <time>', 'not from now on: a maintenance window that comes')
    .option('--end <id>', 'end a silence early')
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (job: string | undefined, options) =>
      (await import('../commands/silence.ts')).silence(here(), job, options),
    );

  program
    .command('owner-left')
    .description('open an incident for each production job of a person who has left, and alert the successor')
    .argument('<email>', 'as the manifests have it')
    .addOption(why())
    .addOption(json())
    .action(async (email: string, options) =>
      (await import('../commands/owner-left.ts')).ownerLeft(here(), email, options),
    );

  program
    .command('ping-key')
    .description('the key with which an external job reports its runs, with examples for curl')
    .argument('<job>')
    .addOption(json())
    .action(async (job: string, options) =>
      (await import('../commands/ping-key.ts')).showPingKey(here(), job, options),
    );

  const alerts = program.command('alerts').description('the channels that alerts go out by, see docs/alerts.md');

  alerts
    .command('test')
    .description('send a test by one channel or by all; exits with 1 when one does not take it')
    .argument('[channel]')
    .addOption(json())
    .action(async (channel: string | undefined, options) => {
      const right = await (await import('../commands/alerts.ts')).test(here(), channel, options);
      process.exitCode = right ? 0 : 1;
    });

  alerts
    .command('preview')
    .description('what each channel would be sent about a run; nothing is sent')
    .argument('<run>')
    .addOption(json())
    .action(async (run: string, options) => (await import('../commands/alerts.ts')).preview(here(), run, options));

  alerts
    .command('sent')
    .description('what waits to be sent, and what was sent in the last days')
    .option('--limit <number>', 'at most this many', atLeastOne, 30)
    .addOption(json())
    .action(async (options) => (await import('../commands/alerts.ts')).sent(here(), options));

  program
    .command('watchdog')
    .description('raise the alarm when the service does not work; a process of its own, by cron or systemd')
    .option('--after <duration>', 'longest time without a tick', '10m')
    .option('--once', 'look once: for cron; exits with 1 when ticks are missing')
    .action(async (options) => {
      const right = await (await import('../commands/watchdog.ts')).watch(machineOf('watchdog', flags()), options);
      process.exitCode = right ? 0 : 1;
    });
}
