import type { InvocationContext } from '@azure/functions';
import { type Emit, type Event, eventText } from '../shared/events.ts';
import { once } from '../shared/once.ts';
import type { Parts } from '../shared/parts.ts';
import { insights, noTelemetry, type Telemetry } from '../shared/telemetry/insights.ts';
import { visible } from '../shared/text.ts';
import { composeAzure, type Installation } from './compose.ts';
import { ready } from './ready.ts';

/** What an invocation works with. */
export interface Invocation extends Parts {
  app: Installation['app'];
}

interface Host {
  installation: Installation;
  telemetry: Telemetry;
}

/** Of this process. Settings that were wrong may be right the next time. */
const host = once(open);

/**
 * Runs one invocation: puts the service together when this is the process's first, says what happens in the log and in
 * Application Insights, under the operation that the platform has for it. @throws what `work` throws, BadSettings
 */
export async function invocation<T>(context: InvocationContext, work: (parts: Invocation) => Promise<T>): Promise<T> {
  const { installation, telemetry } = await host();
  const emit: Emit = (event) => {
    write(context, event);
    telemetry.emit(event);
  };
  try {
    return await telemetry.operation(context.traceContext?.traceParent, () => work({ ...installation, emit }));
  } finally {
    await telemetry.flush();
  }
}

async function open(): Promise<Host> {
  const unreadable: [string, unknown][] = [];
  const installation = await composeAzure(process.env, import.meta.dirname, (...one) => unreadable.push(one));
  const { catalog, app, store } = installation;
  await ready(store, app.AZURE_FUNCTIONS_ENVIRONMENT === 'Development');
  const authentication = app.APPLICATIONINSIGHTS_AUTHENTICATION_STRING;
  const telemetry = app.APPLICATIONINSIGHTS_CONNECTION_STRING
    ? insights({
        connection: app.APPLICATIONINSIGHTS_CONNECTION_STRING,
        catalog,
        ...(authentication && { authentication }),
      })
    : noTelemetry;
  for (const [job, error] of unreadable) {
    const trouble: Event = { type: 'trouble', doing: `reading ${job} of the package`, error };
    console.error(visible(eventText(trouble) ?? ''));
    telemetry.emit(trouble);
  }
  return { installation, telemetry };
}

/** What an operator must see although the log level is Warning. */
const warnings: ReadonlySet<Event['type']> = new Set([
  'trouble',
  'launch-unreadable',
  'secret-expiring',
  'secret-unusable',
  'clock-corrected',
]);

export function write(context: Pick<InvocationContext, 'log' | 'warn'>, event: Event): void {
  const line = eventText(event);
  if (line === undefined) return;
  if (warnings.has(event.type)) context.warn(visible(line));
  else context.log(visible(line));
}
