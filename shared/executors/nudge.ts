import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from '../once.ts';
import type { AttemptId } from '../store/attempts.ts';

/** How shims report to the service that an attempt has ended, over a network where anyone may knock. */
export interface Nudges {
  /** An address that only this attempt's shim gets; null: this host sees its own attempts end. */
  url(id: AttemptId): Promise<string | null>;
  /** Whether that address was used. */
  isSigned(id: AttemptId, code: string): Promise<boolean>;
}

export const finishPath = '/api/finish';

/**
 * A nudge only makes the service look, so its code is no more than a doorman: without it no one makes us read storage.
 * @param app address of the service, e.g. https://lamplighter.azurewebsites.net; null: shims send no nudges
 * @param key of this installation; asked for once
 */
export function nudges(app: string | null, key: () => Promise<Buffer>): Nudges {
  const known = once(key);
  const sign = async ({ job, run, attempt }: AttemptId): Promise<string> => {
    const mac = createHmac('sha256', await known());
    return mac.update(`${job}/${run}/${attempt}`).digest('base64url');
  };
  return {
    url: async (id) => (app === null ? null : `${new URL(finishPath, app)}?code=${await sign(id)}`),
    async isSigned(id, code) {
      const [given, expected] = [Buffer.from(code), Buffer.from(await sign(id))];
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}
