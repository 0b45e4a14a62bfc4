import {
  type ContainerAppsAPIClientOptionalParams,
  type ContainerAppsAPIContext,
  createContainerAppsAPI,
} from '@azure/arm-appcontainers/api';
import type { TokenCredential } from '@azure/identity';
import { limited, type Step } from './limit.ts';

/** How requests leave this machine, where that is not as usual: another HTTP client, another certificate authority. */
export type Transport = Pick<ContainerAppsAPIClientOptionalParams, 'httpClient' | 'tlsOptions'>;

export interface ArmOptions {
  credential: TokenCredential;
  subscription: string;
  /** Of Azure's management; other clouds have their own. */
  endpoint?: string;
  transport?: Transport;
  /** A request that takes longer with its token is ended, ms. */
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
    additionalPolicies: [limited(patienceMs), secondReading],
    ...transport,
  }) satisfies ContainerAppsAPIContext;
}

/** Nothing is sent again but a GET whose connection broke. */
const secondReading: Step = {
  position: 'perCall',
  policy: {
    name: 'lamplighter-second-reading',
    async sendRequest(request, next) {
      try {
        return await next(request);
      } catch (error) {
        if (request.method !== 'GET' || request.abortSignal?.aborted) throw error;
        return next(request);
      }
    },
  },
};
