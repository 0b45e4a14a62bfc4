import { type Command, Option } from 'commander';
import { builders, defaultBase, environments, networks, steps, zoneChoices } from '../deploy/options.ts';
import { type Flags, type Here, machineOf } from '../here.ts';
import { json } from './option.ts';

/** The commands about installations in Azure, and for assistants. Each loads its code when it is called. */
export function azureCommands(program: Command, flags: () => Flags, here: () => Here): void {
  program
    .command('deploy')
    .description('put everything on Azure, or bring it up to date; shows each command of az and func before it runs it')
    .option('--name <name>', 'what this installation is called (default: as the parameters say)')
    .option('--resource-group <group>', 'where it goes (default: rg-<name>)')
    .option('--location <region>', 'region of a new resource group, e.g. westeurope')
    .option('--subscription <name>', 'refuse when az is set to another one')
    .addOption(new Option('--environment <name>', 'which infra/<name>.bicepparam').choices(environments).default('dev'))
    .option('--auth-client-id <id>', 'Entra app registration in front of the app (default: makes one)')
    .option('--alert-emails <addresses>', 'who is notified, with commas (default: as before; LAMPLIGHTER_ALERT_EMAILS)')
    .option('--base <image>', 'what the image of jobs is built on', defaultBase)
    .option('--uv <file>', 'a uv binary for Linux, for jobs with a uv.lock')
    .addOption(
      new Option('--builder <name>', 'who builds it: the registry or Docker here').choices(builders).default('acr'),
    )
    .option('--rebuild', 'build it though the registry has it, for a newer base of the same name')
    .option('--image <reference>', 'build none and take this one, by digest: for a roll-back')
    .option('--image-from <resource id>', 'the registry that has it, when this one does not: dev’s, for prod')
    .addOption(
      new Option('--network <kind>', 'who reaches it: anyone with a token, or a network of its own').choices(networks),
    )
    .option('--network-address <range>', 'addresses of that network, at least a /24 (default: 10.214.0.0/24)')
    .option('--allowed-addresses <list>', 'who reaches vault, registry and storage from outside, with commas')
    .addOption(new Option('--zones <what>', 'what goes on when a building of Azure fails').choices(zoneChoices))
    .addOption(new Option('--from <step>', 'begin at this step').choices(steps).default('check'))
    .option('--what-if', 'only show what Azure would change')
    .option('--dry-run', 'only print the commands; needs neither az nor a subscription')
    .option('-y, --yes', 'do not ask')
    .action(async (options) => (await import('../commands/deploy.ts')).deploy(machineOf('deploy', flags()), options));

  program
    .command('outputs')
    .description('print what a deployment on Azure gave: addresses, names and ids')
    .argument('[name]', 'one of them alone, e.g. appUrl')
    .option('--name <name>', 'what the installation is called (default: as the parameters say)')
    .option('--resource-group <group>', 'where it is (default: rg-<name>)')
    .addOption(new Option('--environment <name>', 'which infra/<name>.bicepparam').choices(environments).default('dev'))
    .addOption(json())
    .action(async (name: string | undefined, options) => {
      await (await import('../commands/outputs.ts')).outputs(machineOf('outputs', flags()), name, options);
    });

  program
    .command('verify')
    .description('whether an installation on Azure works; exits with 1 when something is not right')
    .option('--resource-group <group>', 'where it is (default: looks through the subscription)')
    .addOption(json())
    .action(async (options: { resourceGroup?: string; json?: boolean }, command: Command) => {
      const { app } = flags();
      // Not the one that `lamp use` chose: it is asked for by the name that Azure knows it by.
      if (app === undefined) return command.error("error: required option '--app <name>' not specified");
      const known = (await (await import('../app.ts')).apps()).apps.find(({ name }) => name === app)?.url;
      const { verify } = await import('../commands/verify.ts');
      const right = await verify(here().home, { ...options, app: known ?? app });
      process.exitCode = right ? 0 : 1;
    });

  program
    .command('use')
    .description('name an installation in Azure, or choose the one that commands are about')
    .argument('[app]', 'an address, a name given before, or "here"')
    .option('--client <id>', 'application id that tokens are made for, with an address')
    .option('--as <name>', 'a short name for it')
    .addOption(json())
    .action(async (name: string | undefined, options) => {
      machineOf('use', flags());
      await (await import('../commands/use.ts')).use(name, options);
    });

  program
    .command('mcp')
    .description('serve an AI assistant (MCP over stdin and stdout): look, check, explain; act when you say so')
    .action(async () => (await import('../commands/mcp.ts')).mcp(here(), '0.1.0'));
}
