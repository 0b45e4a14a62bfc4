import type { Run } from '../deploy/run.ts';
import * as azure from './azure.ts';
import { type Ask, canaryFindings } from './canary.ts';
import { type Finding, note, unknown, unseenHere } from './finding.ts';
import * as judge from './judge.ts';
import { healthFindings, type Patience } from './ticks.ts';

/** What only a call shows. */
export async function behaviour(run: Run, site: azure.Site, patience: Patience): Promise<Finding[]> {
  const result: Finding[] = [];
  const url = /^(127\.0\.0\.1|localhost)(:|$)/.test(site.defaultHostName)
    ? `http://${site.defaultHostName}`
    : `https://${site.defaultHostName}`;
  const authentication = await azure.ask(run, azure.showAuthentication(site), azure.authentication);
  if ('why' in authentication)
    return [
      unknown('authentication', authentication.why),
      ...['ticks', 'poison'].map((check) => unknown(check, 'see authentication')),
    ];
  const { platform, globalValidation, identityProviders } = authentication.value.properties;
  result.push(
    ...judge.authenticationFindings({
      enabled: platform.enabled,
      required: globalValidation.requireAuthentication,
      open: globalValidation.excludedPaths ?? [],
    }),
  );
  if (site.publicNetworkAccess === 'Disabled' && (await isClosedHere(url))) {
    const text = `${unseenHere}: the app takes calls from its own network only, and this machine is outside`;
    const remedy = 'lamp verify on a machine in the network looks at this too (docs/network.md)';
    return [...result, ...['ticks', 'poison', 'canary'].map((check) => note(check, text, remedy))];
  }
  for (const [method, path] of [
    ['GET', '/health'],
    ['GET', '/admin/host/status'],
    ['POST', '/api/tick'],
  ] as const) {
    const status = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(30_000),
    }).then(
      (answer) => answer.status,
      () => null,
    );
    result.push(judge.refusalFinding(`${method} ${path}`, status));
  }
  const { clientId } = identityProviders.azureActiveDirectory.registration;
  const token = await azure.ask(run, azure.token(clientId), azure.accessToken);
  if ('why' in token) return [...result, unknown('ticks', token.why), unknown('poison', 'see ticks')];
  result.push(...(await healthFindings({ ...patience, url, token: token.value.accessToken })));
  // Without ticks and functions it could only say once more that nothing runs.
  if (result.some(({ check, state }) => check === 'ticks' && state !== 'right'))
    return [...result, unknown('canary run', 'see ticks')];
  return [...result, ...(await canaryFindings(asCaller(url, token.value.accessToken), patience))];
}

/** Azure answers 403 from outside before it asks for a token; inside a call without one gets 401. */
async function isClosedHere(url: string): Promise<boolean> {
  return fetch(`${url}/health`, { redirect: 'manual', signal: AbortSignal.timeout(30_000) }).then(
    ({ status }) => status === 403,
    () => false,
  );
}

/** Nudges carry no token, and must get through without one. */
function asCaller(url: string, token: string): Ask {
  return async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(path.startsWith('/api/v1/') && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(30_000),
    });
    return { status: answer.status, text: await answer.text() };
  };
}
