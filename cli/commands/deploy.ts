import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { deployment } from '../deploy/deployment.ts';
import { namedIn } from '../deploy/named.ts';
import { type DeployOptions, target } from '../deploy/options.ts';
import { processRun } from '../deploy/run.ts';
import { deploySteps, dryRun, preview } from '../deploy/sequence.ts';
import type { Home } from '../home.ts';
import { Refusal } from '../refusal.ts';
import { inspect } from './verify.ts';

/** `lamp deploy`: everything on Azure, step by step, each command shown before it is run. */
export async function deploy(home: Home, options: DeployOptions): Promise<void> {
  const { root } = home;
  const given = target(options, await namedIn(root, options.environment));
  const say = (line: string) => console.log(line);
  if (given.dryRun) return dryRun(root, given, say);
  const run = processRun({ root, say, pass: (text) => process.stderr.write(text) });
  const here = deployment({
    target: given,
    root,
    jobs: home.jobs,
    now: Date.now(),
    environment: process.env,
    run,
    sleep,
    say,
    confirm: (question) => ask(question),
  });
  if (given.whatIf) await preview(here);
  else await deploySteps(here, (app, resourceGroup) => inspect(home, { app, resourceGroup }));
}

async function ask(question: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new Refusal('There is no one to ask here: look at the changes with --what-if, then add --yes.');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal('Nothing has been changed by this step.');
}
