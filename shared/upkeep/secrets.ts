import { secretsAreWell, seeSecret } from '../alerts/secrets.ts';
import { hour, type Instant, iso } from '../instant.ts';
import type { Catalog } from '../job/catalog.ts';
import type { Parts } from '../parts.ts';
import { SecretError } from '../secrets/vault.ts';
import { dueWarning, isIll } from './expiry.ts';

/** Once a day, by a timer that is not quite regular. */
const atMostEvery = 20 * hour;

/**
 * Looks at the secrets of all jobs and reports those that are about to expire, have expired, or cannot be used. Once a
 * day, however often it is called. When the vault cannot be asked, that is reported as trouble and the day does not count:
 * the next call asks again, and says what came due since the last whole check.
 */
export async function checkSecrets(parts: Parts, now: Instant): Promise<void> {
  const { store, vault, emit, person } = parts;
  const last = await store.marks.get('secrets');
  if (last !== undefined && now - last < atMostEvery) return;
  const ill = new Set<string>();
  for (const [secret, jobs] of secretsInUse(parts.catalog())) {
    try {
      const { validFrom, expiresOn } = await vault.version(secret);
      if (validFrom !== null && now < validFrom) {
        const error = `is marked as valid only from ${iso(validFrom)}: runs get it all the same, others may refuse it`;
        emit({ type: 'secret-unusable', secret, jobs, error });
      }
      if (expiresOn !== null && isIll(expiresOn, now)) ill.add(secret);
      const days = expiresOn === null ? undefined : dueWarning(expiresOn, last, now);
      if (expiresOn !== null && days !== undefined) {
        emit({ type: 'secret-expiring', secret, jobs, expiresOn, days });
        const when = days < 0 ? `expired on ${iso(expiresOn)}` : `expires in ${days} days, on ${iso(expiresOn)}`;
        await seeSecret(parts, secret, jobs, `${secret} ${when}`, now);
      }
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      if (error.passing) {
        // The vault's trouble, not this secret's: the others would fare no better.
        emit({ type: 'trouble', doing: `checking the secret ${secret}`, error });
        return;
      }
      emit({ type: 'secret-unusable', secret, jobs, error: error.message });
      ill.add(secret);
      await seeSecret(parts, secret, jobs, `${secret} ${error.message}`, now);
    }
  }
  await secretsAreWell(parts, ill, now);
  await store.marks.advance('secrets', now, person);
}

/** Secret → the jobs that use it. Vaults do not distinguish capitals from small letters. */
function secretsInUse(catalog: Catalog): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const { job } of catalog.values()) {
    if (job.status === 'decommissioned') continue;
    for (const name of new Set(Object.values(job.secrets).map((one) => one.toLowerCase()))) {
      users.set(name, [...(users.get(name) ?? []), job.name]);
    }
  }
  return users;
}
