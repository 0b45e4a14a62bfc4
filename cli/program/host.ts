import { type Command, Option } from 'commander';
import { type Flags, type Here, machineOf } from '../here.ts';
import { defaultImage } from '../host/image-name.ts';
import { account, allow, atLeastOne, by, json, portNumber, retentionDays, why } from './option.ts';

/** The commands that make and host jobs on this machine. Each loads its code when it is called. */
export function hostCommands(program: Command, flags: () => Flags, here: () => Here): void {
  program
    .command('start')
    .description('host the service on this machine: store, ticks, launches')
    .option('--port <number>', 'port of the health page, 0 for any', portNumber, 7070)
    .option('--concurrency <number>', 'attempts at once', atLeastOne, 8)
    .addOption(new Option('--executor <name>', 'what runs jobs').choices(['process', 'docker']).default('process'))
    .option('--image <reference>', 'what containers are made of', defaultImage)
    .addOption(allow('--allow-process <job>', 'let this job be a plain process under --executor docker'))
    .addOption(allow('--allow-host-network <job>', "let this job's container have the machine's network"))
    .option('--retention-days <number>', 'how long history is kept, at least 183', retentionDays, 400)
    .option('--join', 'be a second host at the store that runs already', false)
    .action(async (options) => (await import('../host/start.ts')).start(machineOf('start', flags()), options));

  program
    .command('check')
    .description('check every job.yaml and report all problems at once')
    .argument('[folder]', 'folder of jobs (default: jobs/)')
    .addOption(new Option('--executor <name>', 'as for a host that is started with it').choices(['process', 'docker']))
    .addOption(allow('--allow-process <job>', 'as for a host that is started with it'))
    .addOption(allow('--allow-host-network <job>', 'as for a host that is started with it'))
    .option('--azure', 'what Azure would refuse as well: sizes, names, and limits of a subscription')
    .addOption(json())
    .action(async (folder: string | undefined, options) => {
      const { jobs } = machineOf('check', flags());
      const { check } = await import('../commands/check.ts');
      const { text, exitCode } = await check(folder ?? jobs, options);
      console.log(text);
      process.exitCode = exitCode;
    });

  program
    .command('new')
    .description('make a new job that passes every check')
    .argument('<job>', 'its name: lower-case words joined by hyphens')
    .option('--owner <email>', 'who answers for it')
    .option('--description <sentence>', 'what it does')
    .option('--time-zone <zone>', 'IANA time zone of its schedule')
    .addOption(json())
    .action(async (name: string, options) =>
      (await import('../commands/new.ts')).newJob(machineOf('new', flags()), name, options),
    );

  program
    .command('clock')
    .description('the clocks that the service goes by, how far slots are claimed, and which jobs are behind')
    .option('--confirm', "this machine's clock is right, whatever the store's reads")
    .addOption(why())
    .addOption(by())
    .addOption(json())
    .action(async (options) => (await import('../commands/clock.ts')).clock(here(), options));

  program
    .command('backup')
    .description('copy the store of this folder into one file, while the host goes on')
    .argument('<file>', 'a new file')
    .addOption(json())
    .action(async (file: string, options) =>
      (await import('../commands/backup.ts')).makeBackup(machineOf('backup', flags()), file, options),
    );

  program
    .command('restore')
    .description('put a backup in the place of the store of this folder; no host may run')
    .argument('<file>', 'as lamp backup has written it')
    .addOption(json())
    .action(async (file: string, options) =>
      (await import('../commands/backup.ts')).restoreBackup(machineOf('restore', flags()), file, options),
    );

  program
    .command('export')
    .description('write the history of this folder, or of an account in Azure, into one file')
    .argument('<file>', 'a new file, a gzipped tar')
    .addOption(account())
    .addOption(allow('--job <job>', 'only of this job; give it once for each'))
    .option('--since <time>', 'only from then on: 2026-11-20, an instant, or an age such as 30d')
    .addOption(json())
    .action(async (file: string, options) =>
      (await import('../commands/archive.ts')).exportTo(machineOf('export', flags()), file, options),
    );

  program
    .command('import')
    .description('put the history of such a file into the store of this folder, or into an account in Azure')
    .argument('<file>', 'as lamp export has written it')
    .addOption(account())
    .addOption(json())
    .action(async (file: string, options) =>
      (await import('../commands/archive.ts')).importFrom(machineOf('import', flags()), file, options),
    );

  program
    .command('image')
    .description('the image that containers are made of')
    .command('build')
    .description('build it from an image with Python 3.10 or newer; needs Docker, and no network')
    .requiredOption('--base <image>', 'what it is built on, e.g. python:3.12-slim')
    .option('--tag <name>', 'its name', defaultImage)
    .option('--uv <file>', 'a uv binary for Linux, for jobs with a uv.lock')
    .addOption(json())
    .action(async (options) => (await import('../commands/image.ts')).build(machineOf('image', flags()), options));

  program
    .command('package')
    .description('make the folder that func publishes, and the list of jobs that infra/ deploys')
    .option('--prefix <word>', 'what the names of the Container Apps Jobs begin with', 'lamp')
    .addOption(json())
    .action(async (options) =>
      (await import('../commands/package.ts')).makeAppPackage(machineOf('package', flags()), options),
    );
}
