import { Command, InvalidArgumentError, Option } from 'commander';
import { builders, defaultBase, environments, steps } from './deploy/options.ts';
import { exampleText } from './examples.ts';
import { explain } from './explain.ts';
import { findHome } from './home.ts';
import { defaultImage } from './host/docker.ts';
import { guardConsole } from './terminal.ts';

/** The command line. Each command's code is loaded when it is called: `lamp --help` should not wait for Azure's SDK. */

guardConsole();

const program = new Command('lamp')
  .description(
    'Lamplighter runs Python jobs on schedule and says so when one fails, does not start, or quietly gets worse.',
  )
  .version('0.1.0', '-V, --version')
  .option('--home <folder>', 'folder that holds jobs/ (default: the nearest one upwards; LAMPLIGHTER_HOME)')
  .showHelpAfterError('Add --help to see how it is meant.')
  // Help and version are no mistakes; everything else that commander refuses is a wrong command line.
  .exitOverride((error) => process.exit(error.exitCode === 0 || error.code === 'commander.help' ? 0 : 2))
  .addHelpText(
    'after',
    `
A run is named <job>.<slot>, as lamp runs prints it; where a run is asked for, a job's name means its newest run.
Exit codes: 0 done · 1 refused, or something is wrong · 2 the command line is wrong · with --wait the job's own.`,
  );

const home = () => findHome(program.opts<{ home?: string }>().home);
const json = () => new Option('--json', 'print JSON with stable field names');
const why = () => new Option('--why <text>', 'the reason, for the history').default('');
/** Given once for each job. */
const allow = (flags: string, what: string) =>
  new Option(flags, what).argParser((job: string, before: string[] = []) => [...before, job]);
const by = () => new Option('--by <person>', 'who asks (default: you)');

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
  .action(async (options) => (await import('./host/start.ts')).start(home(), options));

program
  .command('check')
  .description('check every job.yaml and report all problems at once')
  .argument('[folder]', 'folder of jobs (default: jobs/)')
  .addOption(new Option('--executor <name>', 'as for a host that is started with it').choices(['process', 'docker']))
  .addOption(allow('--allow-process <job>', 'as for a host that is started with it'))
  .addOption(allow('--allow-host-network <job>', 'as for a host that is started with it'))
  .addOption(json())
  .action(async (folder: string | undefined, options) => {
    const { check } = await import('./commands/check.ts');
    const { text, exitCode } = await check(folder ?? home().jobs, options);
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
  .action(async (name: string, options) => (await import('./commands/new.ts')).newJob(home(), name, options));

program
  .command('jobs')
  .description('list the jobs: last run, next run, owner')
  .addOption(json())
  .action(async (options) => (await import('./commands/jobs.ts')).jobs(home(), options));

program
  .command('next')
  .description('when a job, every job, or any schedule runs next, clock changes included')
  .argument('[job]')
  .option('-n <number>', 'how many', atLeastOne, 10)
  .option('--after <instant>', 'from then on instead of now, e.g. 2026-03-28T12:00Z')
  .option('--cron <expression>', 'explain this schedule instead of a job')
  .option('--time-zone <zone>', 'IANA time zone for --cron', 'UTC')
  .addOption(json())
  .action(async (job: string | undefined, options) => (await import('./commands/next.ts')).next(home(), job, options));

program
  .command('clock')
  .description('the clocks that the service goes by, how far slots are claimed, and which jobs are behind')
  .option('--confirm', "this machine's clock is right, whatever the store's reads")
  .addOption(why())
  .addOption(by())
  .addOption(json())
  .action(async (options) => (await import('./commands/clock.ts')).clock(home(), options));

program
  .command('runs')
  .description('the history, newest first')
  .argument('[job]')
  .option('--state <states>', 'only these, e.g. failed,lost')
  .option('--since <time>', '2026-11-20, an instant, or an age such as 2h or 7d')
  .option('--limit <number>', 'at most so many', atLeastOne, 30)
  .addOption(json())
  .action(async (job: string | undefined, options) => (await import('./commands/runs.ts')).runs(home(), job, options));

program
  .command('show')
  .description('everything about one run')
  .argument('<run>')
  .addOption(json())
  .action(async (run: string, options) => (await import('./commands/show.ts')).show(home(), run, options));

program
  .command('logs')
  .description('what a run wrote')
  .argument('<run>')
  .option('-f, --follow', 'go on until the run is over')
  .option('-t, --timestamps', 'with the time of each line')
  .option('--attempt <number>', 'of this attempt instead of the last')
  .addOption(json())
  .action(async (run: string, options) => (await import('./commands/logs.ts')).logs(home(), run, options));

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
    (await import('./commands/act.ts')).run(home(), job, args, options),
  );

program
  .command('retry')
  .alias('rerun')
  .description('run the slot of a past run again, with the same arguments')
  .argument('<run>')
  .option('--wait', "until it is over; exits with the job's exit code")
  .addOption(why())
  .addOption(by())
  .addOption(json())
  .action(async (run: string, options) => (await import('./commands/act.ts')).retry(home(), run, options));

program
  .command('cancel')
  .description('end runs, or keep them from starting')
  .argument('[runs...]')
  .option('--backfill <job>', 'all runs of the backfills of this job that are not over')
  .addOption(why())
  .addOption(by())
  .addOption(json())
  .action(async (runs: string[], options) => (await import('./commands/cancel.ts')).cancel(home(), runs, options));

program
  .command('pause')
  .description('skip the slots of a job from now on')
  .argument('<job>')
  .addOption(why())
  .addOption(by())
  .addOption(json())
  .action(async (job: string, options) => (await import('./commands/act.ts')).pause(home(), job, options));

program
  .command('resume')
  .description('end a pause')
  .argument('<job>')
  .option('--no-catch-up', 'do not run what the pause skipped')
  .addOption(why())
  .addOption(by())
  .addOption(json())
  .action(async (job: string, options) => (await import('./commands/act.ts')).resume(home(), job, options));

program
  .command('events')
  .description('who did what to a job, when and why: deployed, paused, run by hand, cancelled …')
  .argument('[job]')
  .option('--since <time>', '2026-11-20, an instant, or an age such as 2h or 7d')
  .option('--limit <number>', 'at most so many', atLeastOne, 30)
  .addOption(json())
  .action(async (job: string | undefined, options) =>
    (await import('./commands/events.ts')).events(home(), job, options),
  );

program
  .command('incidents')
  .description('what is wrong now, worst first')
  .argument('[job]')
  .option('--all', 'also what is over')
  .option('--limit <number>', 'at most so many', atLeastOne, 30)
  .addOption(json())
  .action(async (job: string | undefined, options) =>
    (await import('./commands/incidents.ts')).incidents(home(), job, options),
  );

program
  .command('ack')
  .description('take an incident, or all of a job: it is escalated no further')
  .argument('<incident>', 'its id as lamp incidents prints it, or a job')
  .addOption(why())
  .addOption(by())
  .addOption(json())
  .action(async (name: string, options) => (await import('./commands/incidents.ts')).ack(home(), name, options));

program
  .command('resolve')
  .description('say that an incident, or all of a job, is over; mostly the next good run does')
  .argument('<incident>', 'its id as lamp incidents prints it, or a job')
  .addOption(why())
  .addOption(by())
  .addOption(json())
  .action(async (name: string, options) =>
    (await import('./commands/incidents.ts')).resolveIncident(home(), name, options),
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
    (await import('./commands/incidents.ts')).silence(home(), job, options),
  );

const alerts = program.command('alerts').description('the channels that alerts go out by, see docs/alerts.md');

alerts
  .command('test')
  .description('send a test by one channel or by all; exits with 1 when one does not take it')
  .argument('[channel]')
  .addOption(json())
  .action(async (channel: string | undefined, options) => {
    const right = await (await import('./commands/alerts.ts')).test(home(), channel, options);
    process.exitCode = right ? 0 : 1;
  });

alerts
  .command('preview')
  .description('what each channel would be sent about a run; nothing is sent')
  .argument('<run>')
  .addOption(json())
  .action(async (run: string, options) => (await import('./commands/alerts.ts')).preview(home(), run, options));

alerts
  .command('sent')
  .description('what waits to be sent, and what was sent in the last days')
  .option('--limit <number>', 'at most so many', atLeastOne, 30)
  .addOption(json())
  .action(async (options) => (await import('./commands/alerts.ts')).sent(home(), options));

program
  .command('watchdog')
  .description('raise the alarm when the service does not work; a process of its own, by cron or systemd')
  .option('--after <duration>', 'longest time without a tick', '10m')
  .option('--once', 'look once: for cron; exits with 1 when ticks are missing')
  .action(async (options) => {
    const right = await (await import('./commands/watchdog.ts')).watch(home(), options);
    process.exitCode = right ? 0 : 1;
  });

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
    (await import('./commands/backfill.ts')).backfill(home(), job, args, options),
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
  .action(async (options) => (await import('./commands/image.ts')).build(home(), options));

program
  .command('package')
  .description('make the folder that func publishes, and the list of jobs that infra/ deploys')
  .option('--prefix <word>', 'what the names of the Container Apps Jobs begin with', 'lamp')
  .addOption(json())
  .action(async (options) => (await import('./commands/package.ts')).makeAppPackage(home(), options));

program
  .command('deploy')
  .description('put everything on Azure, or bring it up to date; shows each command of az and func before it runs it')
  .option('--name <name>', 'what this installation is called (default: as the parameters say)')
  .option('--resource-group <group>', 'where it goes (default: rg-<name>)')
  .option('--location <region>', 'region of a new resource group, e.g. westeurope')
  .option('--subscription <name>', 'refuse when az is set to another one')
  .addOption(new Option('--environment <name>', 'which infra/<name>.bicepparam').choices(environments).default('dev'))
  .option('--auth-client-id <id>', 'Entra app registration in front of the app (default: makes one)')
  .option('--alert-emails <addresses>', 'who is told, with commas (default: as before; LAMPLIGHTER_ALERT_EMAILS)')
  .option('--base <image>', 'what the image of jobs is built on', defaultBase)
  .option('--uv <file>', 'a uv binary for Linux, for jobs with a uv.lock')
  .addOption(
    new Option('--builder <name>', 'who builds it: the registry or Docker here').choices(builders).default('acr'),
  )
  .option('--rebuild', 'build it though the registry has it, for a newer base of the same name')
  .option('--image <reference>', 'build none and take this one, by digest: for a roll-back')
  .option('--image-from <resource id>', 'the registry that has it, when this one does not: dev’s, for prod')
  .addOption(new Option('--from <step>', 'begin at this step').choices(steps).default('check'))
  .option('--what-if', 'only show what Azure would change')
  .option('--dry-run', 'only print the commands; needs neither az nor a subscription')
  .option('-y, --yes', 'do not ask')
  .action(async (options) => (await import('./commands/deploy.ts')).deploy(home(), options));

program
  .command('verify')
  .description('whether an installation on Azure works; exits with 1 when something is not right')
  .requiredOption('--app <name>', 'name or address of the function app')
  .option('--resource-group <group>', 'where it is (default: looks through the subscription)')
  .addOption(json())
  .action(async (options) => {
    const right = await (await import('./commands/verify.ts')).verify(home(), options);
    process.exitCode = right ? 0 : 1;
  });

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
    (await import('./commands/drift.ts')).drift(home(), job, options),
  );

const baseline = program.command('baseline').description('what the metrics of a job are compared with');
baseline
  .command('show')
  .description('each metric: learning, watching or drifted, and since when')
  .argument('<job>')
  .addOption(json())
  .action(async (job: string, options) => (await import('./commands/baseline.ts')).show(home(), job, options));
baseline
  .command('pin')
  .description('take the values since a day as the norm')
  .argument('<job>')
  .option('--since <time>', 'the first good day or instant')
  .option('--metric <name>', 'only this one')
  .addOption(why())
  .addOption(by())
  .action(async (job: string, options) => (await import('./commands/baseline.ts')).pin(home(), job, options));
baseline
  .command('reset')
  .description('forget the values, and learn anew')
  .argument('<job>')
  .option('--metric <name>', 'only this one')
  .addOption(why())
  .addOption(by())
  .action(async (job: string, options) => (await import('./commands/baseline.ts')).reset(home(), job, options));

program
  .command('replay')
  .description(
    'run a job on its frozen examples, side effects off; exits with 1 when it answers otherwise than accepted',
  )
  .argument('<job>')
  .option('--accept', 'take the answers of now as the accepted ones', false)
  .option('--repeat <number>', 'with --accept: replays of each example, to learn what differs by itself', atLeastOne, 3)
  .addOption(json())
  .action(async (job: string, options) => {
    process.exitCode = await (await import('./commands/replay.ts')).replay(home(), job, options);
  });

program
  .command('detect')
  .description('look for drift in series of metrics: JSON lines on standard input, flags on standard output')
  .option('--budget <number>', 'false alerts a job and year', atLeastOne, 1)
  .option('--metrics <number>', 'metrics a job, which share the budget', atLeastOne, 8)
  .option('--notes', 'also single odd values, which are outside the budget', false)
  .action(async (options) => {
    const { detectLines } = await import('./commands/detect.ts');
    process.exitCode = await detectLines(process.stdin, process.stdout, options);
  });

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

function atLeastOne(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('Expected 1 or more.');
  return number;
}

function retentionDays(text: string): number {
  const number = wholeNumber(text);
  if (number < 183) throw new InvalidArgumentError('Expected 183 or more: what the law asks of high-risk systems.');
  return number;
}

function portNumber(text: string): number {
  const number = wholeNumber(text);
  if (number > 65_535) throw new InvalidArgumentError('Expected a port: 0 to 65535.');
  return number;
}

program
  .command('use')
  .description('name an installation in Azure, or choose the one that mcp talks to')
  .argument('[app]', 'an address, a name given before, or "here"')
  .option('--client <id>', 'application id that tokens are made for, with an address')
  .option('--as <name>', 'a short name for it')
  .addOption(json())
  .action(async (name: string | undefined, options) => (await import('./commands/use.ts')).use(name, options));

program
  .command('mcp')
  .description('serve an AI assistant (MCP over stdin and stdout): look, check, explain; act when you say so')
  .option('--app <name>', 'an installation in Azure instead of the host in this folder')
  .action(async (options: { app?: string }) => (await import('./commands/mcp.ts')).mcp(home(), '0.1.0', options.app));

for (const command of program.commands) command.addHelpText('after', exampleText(command.name()));

// Whoever reads our output may have enough of it: lamp runs | head -1
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
