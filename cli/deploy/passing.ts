import { second } from '../../shared/instant.ts';

/** Failures that pass by themselves: what a new installation meets in its first minutes. The reason is shown. */
const passing: { says: RegExp; why: string }[] = [
  {
    says: /unable to (pull|get|fetch)[^\n]*(managed identity|image|secret|value)|ContainerAppSecretKeyVaultUrlInvalid/i,
    why: 'a new role is not effective yet',
  },
  { says: /PrincipalNotFound/, why: 'a new identity is not known everywhere in Entra yet' },
  {
    says: /ForbiddenByRbac|Caller is not authorized to perform action/,
    why: 'a new right to the vault is not effective yet',
  },
  {
    says: /registr(y|ies)[^\n]*(could not be found in subscription|not found)/i,
    why: 'Azure Resource Graph does not list the new registry yet',
  },
  { says: /DeploymentActive/, why: 'another deployment of the same name is under way' },
  { says: /TooManyRequests|\b429\b|SubscriptionRequestsThrottled/, why: 'Azure is asked too often' },
];

/** Time between two tries, ms, and how many there are: 10 minutes together. */
export const again = { everyMs: 30 * second, tries: 20 };

/** @returns why it is worth trying again; undefined: it is not */
export function passesBecause(printed: string): string | undefined {
  return passing.find(({ says }) => says.test(printed))?.why;
}
