import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import { addReceiver, deploy, groupCreate, makePackage, placeholders, publish, syncTriggers, whatIf } from './az.ts';
import { checkWhole } from './check.ts';
import type { Deployment } from './deployment.ts';
import { failureText } from './failure.ts';
import { image } from './image.ts';
import type { Step } from './options.ts';
import { mustStand, readOutputs } from './outputs.ts';
import { registration } from './registration.ts';
import { missingSecrets } from './secrets.ts';

/** What each step does, for people. */
export const purposes: Record<Step, string> = {
  check: 'the jobs are valid and their secrets exist',
  package: 'the app and the jobs become dist/app and infra/jobs.json',
  infra: 'vault, registry, storage, logs and identities stand',
  access: 'each job may read its own secrets',
  image: 'the image that jobs run in is in the registry',
  jobs: 'one Container Apps Job for each job, the app and the alerts; everything brought up to date',
  app: 'the function app gets the package',
  verify: 'it works: functions, ticks, authentication, roles, secrets, channels',
};

type Work = (deployment: Deployment) => Promise<void>;

/** The steps but the last, which is a command of its own. */
export const work: Record<Exclude<Step, 'verify'>, Work> = {
  check: checkWhole,
  infra,
  access,
  image,
  jobs,
  async package({ must }) {
    await must(makePackage);
  },
  async app(deployment) {
    mustStand(deployment);
    const command = publish(deployment.known);
    const answer = await deployment.run(command);
    const unhealthy = /Deployment was successful but the app appears to be unhealthy/.test(
      answer.stdout + answer.stderr,
    );
    if (answer.code !== 0 && !unhealthy) throw new Refusal(failureText(command, answer));
    if (unhealthy)
      deployment.say(
        '  The upload went well; func got no good answer when it asked for the state of the app. verify looks itself.',
      );
    await deployment.must(syncTriggers(deployment.target, deployment.known));
  },
};

/** Makes what must be there before secrets and image can be. */
async function infra(deployment: Deployment): Promise<void> {
  const { target, known } = deployment;
  if (deployment.stands) return deployment.say('  Stands already. The step jobs brings it up to date.');
  if (!deployment.groupStands) await deployment.must(groupCreate(target));
  if (known.authClientId === placeholders.authClientId) known.authClientId = await registration(deployment);
  readOutputs(deployment, await deployment.json(deploy(target, known, 'foundation'), z.unknown()));
  mustStand(deployment);
  deployment.say(`  Vault ${known.vault} · registry ${known.registry} · app ${known.app}`);
}

const index = z.object({
  jobs: z.array(z.object({ name: z.string(), secrets: z.array(z.object({ name: z.string() })) })),
});

/** A stage of its own: a right takes minutes to be effective, and a Container Apps Job is refused whose secrets it cannot read. */
async function access(deployment: Deployment): Promise<void> {
  mustStand(deployment);
  await missingSecrets(deployment, deployment.jobs);
  const { jobs } = index.parse(JSON.parse(await readFile(join(deployment.root, 'infra/jobs.json'), 'utf8')));
  const added = jobs.filter(({ name, secrets }) => {
    const may = deployment.jobsThere.get(name) ?? [];
    return secrets.some((secret) => !may.includes(secret.name.toLowerCase()));
  });
  if (added.length === 0) return deployment.say('  Every job may already.');
  deployment.say(`  New: ${added.map(({ name }) => name).join(', ')}`);
  await deployment.must(deploy(deployment.target, deployment.known, 'access'));
}

async function jobs(deployment: Deployment): Promise<void> {
  mustStand(deployment);
  const { target, known } = deployment;
  // Begun here, before any jobs were deployed: nothing says which image yet.
  if (known.digest === null || target.image !== undefined) await image(deployment);
  if (!target.yes) {
    await deployment.must(whatIf(target, known));
    await deployment.confirm('Make these changes?');
  }
  readOutputs(deployment, await deployment.json(deploy(target, known, 'all'), z.unknown()));
  if (!known.channelsStand) return;
  const missing = known.alertEmails.filter((one) => !deployment.receivers.includes(one.toLowerCase()));
  for (const address of missing) await deployment.must(addReceiver(target, address));
}

/** @throws Refusal when a step is begun with whose input another one makes */
export async function mustBePackaged(root: string): Promise<void> {
  for (const file of ['infra/jobs.json', 'dist/app/index.js']) {
    await readFile(join(root, file)).catch(() => {
      throw new Refusal(`There is no ${file} here, which the step package makes: --from package`);
    });
  }
}
