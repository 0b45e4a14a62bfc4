import {
  type ContainerAppsAPIClientOptionalParams,
  type ContainerAppsAPIContext,
  createContainerAppsAPI,
} from '@azure/arm-appcontainers/api';
import type { TokenCredential } from '@azure/identity';

/** How requests leave this machine, where that is not as usual: another HTTP client, another certificate authority. */
export type Transport = Pick<ContainerAppsAPIClientOptionalParams, 'httpClient' | 'tlsOptions'>;

type Policy = NonNullable<ContainerAppsAPIClientOptionalParams['additionalPolicies']>[number]['policy'];

export interface ArmOptions {
  credential: TokenCredential;
  subscription: string;
  /** Of Azure's management; other clouds have their own. */
  endpoint?: string;
  transport?: Transport;
  /** A request that takes longer is given up, ms. */
  patienceMs: number;
}

/**
 * Azure's management, asked as a service must that starts things: the SDK as it comes sends a start four times when it
 * gets no answer or a 5xx, and each of them may have started the job.
 */
export function armClient({ credential, subscription, transport, patienceMs, ...rest }: ArmOptions) {
  const endpoint = (rest.endpoint ?? 'https://management.azure.com').replace(/\/+$/, '');
  return createContainerAppsAPI(credential, subscription, {
    endpoint,
    credentials: { scopes: [`${endpoint}/.default`] },
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: bounded(patienceMs), position: 'perCall' }],
    ...transport,
  }) satisfies ContainerAppsAPIContext;
}

/** Bounds every request, those of further pages too. Nothing is sent again but a GET whose connection broke. */
function bounded(patienceMs: number): Policy {
  return {
    name: 'bounded',
    async sendRequest(request, next) {
      const signal = request.abortSignal ?? AbortSignal.timeout(patienceMs);
      request.abortSignal = signal;
      try {
        return await next(request);
      } catch (error) {
        if (request.method !== 'GET' || signal.aborted) throw error;
        return next(request);
      }
    },
  };
}
