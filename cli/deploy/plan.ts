import { assignAdmin, listAssigned } from './app-roles.ts';
import {
  account,
  addReceiver,
  buildImage,
  cloud,
  deploy,
  earlyToken,
  findDigest,
  findTag,
  groupCreate,
  groupExists,
  importImage,
  listSecrets,
  listSecretsOutside,
  makePackage,
  placeholders,
  publish,
  showChannel,
  showDeployment,
  stopAndStart,
  syncTriggers,
  verify,
  versionOfAz,
  versionOfBicep,
  versionOfFunc,
  whatIf,
  whoAmI,
} from './az.ts';
import type { Command } from './command.ts';
import { type Step, steps, type Target } from './options.ts';
import { deletedVaults, permissions, providers, runtimes, spreadRegions, usages } from './preflight.ts';
import {
  createPrincipal,
  createRegistration,
  describeRegistration,
  findPrincipal,
  findRegistration,
} from './registration.ts';

export interface Planned {
  command: Command;
  /** When it is left out, or why it is there; null: always run. */
  when: string | null;
}

/** Everything that a first deployment runs, in order, without asking anyone anything. @param tag of the image's content */
export function plan(target: Target, tag: string): { step: Step; commands: Planned[] }[] {
  const known = { ...placeholders };
  if (target.authClientId !== undefined) known.authClientId = target.authClientId;
  if (target.alertEmails !== undefined) known.alertEmails = target.alertEmails.split(',');
  known.reach = {
    network: target.network ?? known.reach.network,
    networkAddress: target.networkAddress ?? known.reach.networkAddress,
    allowedAddresses: target.allowedAddresses?.split(',').filter((one) => one !== '') ?? known.reach.allowedAddresses,
    zones: target.zones ?? known.reach.zones,
  };
  const secrets = known.reach.network === 'public' ? listSecrets(known) : listSecretsOutside(target, known);
  if (target.image !== undefined) known.digest = target.image.slice(target.image.indexOf('sha256:'));
  const always = (...commands: Command[]) => commands.map((command) => ({ command, when: null }));
  const when = (reason: string, ...commands: Command[]) => commands.map((command) => ({ command, when: reason }));

  const place = {
    subscription: known.subscription,
    group: target.group,
    groupStands: false,
    location: target.location ?? '<location>',
  };
  const each: Record<Step, Planned[]> = {
    check: [
      ...always(versionOfAz, versionOfBicep, versionOfFunc, account, groupExists(target)),
      ...when('when the group exists', showDeployment(target, 'foundation')),
      ...when('when something stands', showDeployment(target, 'all'), showChannel(target, known), secrets),
      ...when('first deployment', permissions(place), providers, deletedVaults, runtimes(place), usages(place), whoAmI),
      ...(known.reach.zones === 'all' ? when('first deployment', spreadRegions) : []),
      ...when('when something stands and a pipeline deploys', earlyToken(known)),
    ],
    package: always(makePackage),
    infra: [
      ...when('when there is none', groupCreate(target)),
      ...(target.authClientId === undefined
        ? [
            ...always(cloud, findRegistration(target)),
            ...when('when there is none', createRegistration(target)),
            ...always(...describeRegistration(known), findPrincipal(known)),
            ...when('when there is none', createPrincipal(known)),
            ...always(listAssigned(known)),
            ...when('for each caller who is no admin yet', assignAdmin(known)),
          ]
        : []),
      ...always(deploy(target, known, 'foundation')),
    ].map(({ command, when }) => ({ command, when: when ?? 'first deployment' })),
    access: [...always(secrets), ...when('when a job has a new secret', deploy(target, known, 'access'))],
    image:
      known.digest !== null
        ? [
            ...always(findDigest(known, known.digest)),
            ...(target.imageFrom === undefined
              ? []
              : when('when the registry lacks it', importImage(known, target.imageFrom, known.digest))),
          ]
        : [
            ...always(findTag(known, tag)),
            ...when('when the registry lacks it', ...buildImage(target, known, tag), findTag(known, tag)),
          ],
    jobs: [
      ...(target.yes ? [] : always(whatIf(target, known))),
      ...always(deploy(target, known, 'all')),
      ...when('when something stands and an address is new', addReceiver(target, '<address>')),
    ],
    app: always(publish(known), syncTriggers(target, known)),
    verify: [
      ...always(verify(target, known)),
      ...when('when the timer is dead', ...stopAndStart(target, known), syncTriggers(target, known)),
    ],
  };
  return steps.slice(steps.indexOf(target.from)).map((step) => ({ step, commands: each[step] }));
}
