import type { Guard } from '../shared/api/caller.ts';
import { entraGuard } from '../shared/api/entra.ts';
import { ApiProblem } from '../shared/api/problem.ts';
import type { Settings } from './settings.ts';

let known: Guard | undefined;

/** Of this process: it keeps the keys that tokens are checked with. */
export function guardOf(app: Settings): Guard {
  const { LAMPLIGHTER_AUTH_TENANT: tenant, LAMPLIGHTER_AUTH_CLIENT: client } = app;
  const callers = app.LAMPLIGHTER_AUTH_CALLERS?.split(',').map((id) => id.trim());
  if (tenant && client) known ??= entraGuard({ tenant, client, ...(callers && { callers }) });
  return known ?? closed;
}

/** Fails closed: an app that does not know whose tokens count answers no one. */
const closed: Guard = async () => {
  const settings = 'LAMPLIGHTER_AUTH_TENANT and LAMPLIGHTER_AUTH_CLIENT';
  throw new ApiProblem(
    'not-signed-in',
    `expected ${settings} to be set: deploy the infrastructure again with lamp deploy`,
  );
};
