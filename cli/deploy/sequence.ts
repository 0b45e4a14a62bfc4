import { Refusal } from '../refusal.ts';
import type { Finding } from '../verify/finding.ts';
import { stopAndStart, syncTriggers, verify as verifyCommand, whatIf } from './az.ts';
import { checkAccount, checkEnds, checkTools, look } from './check.ts';
import { commandText } from './command.ts';
import type { Deployment } from './deployment.ts';
import { imageTag } from './image.ts';
import { optionWords, type Step, steps, type Target } from './options.ts';
import { plan } from './plan.ts';
import { mustBePackaged, purposes, work } from './steps.ts';

/** Looks at what has been deployed. */
export type Verify = (app: string, group: string) => Promise<Finding[]>;

/** Does the steps from `target.from` on. @throws Refusal that says how to go on */
export async function deploySteps(here: Deployment, verify: Verify): Promise<void> {
  const { target, say, known } = here;
  let before: string | null = null;
  const started = steps.indexOf(target.from);
  for (const step of steps.slice(started)) {
    say(`\n== ${step}: ${purposes[step]}`);
    try {
      if (step === target.from) {
        await prelude(here, started <= steps.indexOf('app'));
        before = here.running;
        if (started > steps.indexOf('package')) await mustBePackaged(here.root);
      }
      if (step === 'verify') await verified(here, verify);
      else await work[step](here);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // What the step image found is remembered by no one, and finding it again is quick.
      throw new Refusal(`${error.message}\n\nThen go on with:\n  ${again(target, step === 'jobs' ? 'image' : step)}`);
    }
  }
  say('\nDone.');
  if (before !== null && before !== known.digest) say(`The image before this one, for a roll-back: ${before}`);
}

/** Whatever step is begun with: who, where, with what, and what stands. */
async function prelude(here: Deployment, publishing: boolean): Promise<void> {
  checkEnds(here);
  await checkTools(here, publishing);
  await look(here, await checkAccount(here));
}

async function verified({ known, target, say, must }: Deployment, verify: Verify): Promise<void> {
  say(`$ ${commandText(verifyCommand(target, known))}`);
  let found = await verify(known.app, target.group);
  if (found.some(({ check, state }) => check === 'ticks' && state === 'wrong')) {
    say(
      '  The timer does not tick after this deployment, as has been seen on Flex Consumption: the app is stopped and started.',
    );
    for (const command of [...stopAndStart(target, known), syncTriggers(target, known)]) await must(command);
    found = await verify(known.app, target.group);
  }
  if (found.some(({ state }) => state === 'wrong' || state === 'unknown'))
    throw new Refusal('It is deployed, and something is not right: see above.');
}

function again(target: Target, step: Step): string {
  const words = ['lamp', 'deploy', ...optionWords(target), '--from', step, ...(target.yes ? ['--yes'] : [])];
  return commandText({ argv: words as [string, ...string[]] });
}

/** Every command of a first deployment; nothing is run or written. */
export async function dryRun(root: string, target: Target, say: (line: string) => void): Promise<void> {
  const tag = await imageTag(root, target.base, target.uv);
  say('Nothing is run. <…> becomes known on the way.');
  for (const { step, commands } of plan(target, tag)) {
    say(`\n== ${step}: ${purposes[step]}`);
    for (const { command, when } of commands) say(`$ ${commandText(command)}${when === null ? '' : `   # ${when}`}`);
  }
}

/** What would change, by Azure's own account. Changes nothing there. */
export async function preview(here: Deployment): Promise<void> {
  await prelude(here, false);
  const { target, known } = here;
  if (known.digest === null) {
    throw new Refusal(
      `Azure compares with what stands, and in ${target.group} no deployment has been finished: the first makes all of infra/. ` +
        'lamp deploy --dry-run shows its commands.',
    );
  }
  await work.package(here);
  if (target.image !== undefined) known.digest = target.image.slice(target.image.indexOf('sha256:'));
  await here.must(whatIf(target, known));
}
