import type { TokenCredential } from '@azure/identity';
import { context, TraceFlags, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { resourceFromAttributes } from '@opentelemetry/resources';
import applicationInsights from 'applicationinsights';
import { second } from '../instant.ts';
import type { TelemetryEvent } from './events.ts';
import { plain } from './limits.ts';
import { partialProblem, readPartial, sendAgain } from './partial.ts';

// This module loads 3.5 MB: no one imports it but `insights`, when there is something to send.

export interface SenderOptions {
  /** APPLICATIONINSIGHTS_CONNECTION_STRING. */
  connection: string;
  /** APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `ClientId=…;Authorization=AAD`; without it the connection string is enough. */
  authentication?: string;
  /** Instead of the managed identity that `authentication` names. */
  credential?: TokenCredential;
}

/** An event, and the operation that it belongs to. */
export interface Reported {
  event: TelemetryEvent;
  traceParent: string | undefined;
}

/** Hears how each request went. */
export interface Health {
  good(): void;
  bad(problem: unknown): void;
}

export interface Sender {
  /** Resolves when they are accepted, or kept on disk to be sent again. */
  send(events: Reported[]): Promise<void>;
}

/** A request that takes longer is given up, and its events are kept on disk. */
const requestMs = 10 * second;

/**
 * Nothing is collected by itself: with providers of its own the client patches no module, so requests and dependencies
 * (which the host records already), performance counters, live metrics and console lines are not sent, and not paid for.
 */
export async function openSender(options: SenderOptions, health: Health): Promise<Sender> {
  // The package would say nothing, and send nothing.
  if (!/(^|;)\s*InstrumentationKey=[0-9a-f-]{36}/i.test(options.connection)) {
    throw new Error('APPLICATIONINSIGHTS_CONNECTION_STRING has no InstrumentationKey=<guid>');
  }
  // What the package would report Microsoft of itself goes to an address that a closed network does not let through.
  process.env.APPLICATION_INSIGHTS_NO_STATSBEAT ??= 'true';
  const client = new applicationInsights.TelemetryClient(options.connection, { useGlobalProviders: false });
  const credential = options.credential ?? (await identityOf(options.authentication));
  client.config.azureMonitorOpenTelemetryOptions = {
    // Role name; the package reads it from here alone.
    resource: resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME ?? 'lamplighter' }),
    azureMonitorExporterOptions: {
      connectionString: options.connection,
      ...(credential && { credential }),
      retryOptions: { maxRetries: 1 },
      additionalPolicies: [
        {
          position: 'perCall',
          policy: {
            name: 'lamplighterHealth',
            // The package keeps what is refused on disk and says nothing, even when the identity lacks its role.
            async sendRequest(request, next) {
              request.timeout = requestMs;
              try {
                const answer = await next(request);
                const problem = problemOf(answer.status, answer.bodyAsText);
                if (problem) health.bad(problem);
                else health.good();
                return answer;
              } catch (error) {
                health.bad(error);
                throw error;
              }
            },
          },
        },
        { position: 'perRetry', policy: sendAgain() },
      ],
    },
  };
  // Before the first event: only then does the package see which operation it belongs to.
  client.initialize();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return {
    async send(events) {
      for (const { event, traceParent } of events) {
        const { name, properties, measurements } = event;
        // The package adds its own fields to these.
        const track = () => client.trackEvent({ name, properties: { ...properties }, measurements });
        context.with(operationOf(traceParent), track);
      }
      await client.flush();
    },
  };
}

/** @returns what is wrong with an answer of ingestion; undefined: every item was taken */
function problemOf(status: number, body: string | null | undefined): Error | undefined {
  if (status >= 300) return refusal(status, body);
  const part = status === 206 ? readPartial(body) : undefined;
  if (part) return partialProblem(part);
  return status === 206 ? refusal(status, body) : undefined;
}

function refusal(status: number, body: string | null | undefined): Error {
  const rights = status === 401 || status === 403 ? ': has its identity the role Monitoring Metrics Publisher?' : '';
  return new Error(`answer ${status}${rights} ${plain(body ?? '', 200)}`.trim());
}

/** `00-<trace>-<span>-<flags>`, https://www.w3.org/TR/trace-context/#traceparent-header */
const traceParentPattern = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}/;

function operationOf(traceParent: string | undefined) {
  const [, traceId, spanId] = traceParentPattern.exec(traceParent ?? '') ?? [];
  if (!traceId || !spanId) return context.active();
  return trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
}

/** As the Functions host reads the same setting. */
async function identityOf(authentication: string | undefined): Promise<TokenCredential | undefined> {
  const fields = new Map(
    (authentication ?? '').split(';').map((field): [string, string] => {
      const [name = '', value = ''] = field.split('=', 2);
      return [name.trim().toLowerCase(), value.trim()];
    }),
  );
  if (fields.get('authorization')?.toUpperCase() !== 'AAD') return undefined;
  const { identity } = await import('../clients/credential.ts');
  return identity({ clientId: fields.get('clientid') || undefined });
}
