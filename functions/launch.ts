import { setTimeout as sleep } from 'node:timers/promises';
import type { InvocationContext } from '@azure/functions';
import { second } from '../shared/instant.ts';
import { pipeline } from '../shared/pipeline.ts';
import { type Invocation, invocation } from './invocation.ts';
import { registered } from './registration.ts';

/**
 * Starts an attempt. A message that fails is handed out again by the platform, and set aside in `launch-poison` after
 * five times; the watch sees to its run all the same.
 */
export function launch(message: unknown, context: InvocationContext): Promise<void> {
  return invocation(context, (parts) =>
    launchOne(parts, typeof message === 'string' ? message : JSON.stringify(message)),
  );
}

async function launchOne(parts: Invocation, text: string): Promise<void> {
  await registered(parts);
  const work = pipeline(parts);
  // The queue counts in whole seconds, and hands out up to one too early.
  const early = (work.slotOf(text) ?? 0) - Date.now();
  if (early > 0 && early <= second) await sleep(early);
  if (!(await work.launch(text, Date.now()))) await parts.store.launches.putPoison(text);
}
