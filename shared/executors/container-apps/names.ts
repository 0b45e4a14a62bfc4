import { createHash } from 'node:crypto';

/** Azure refuses a Container Apps Job whose name has more characters than this: fewer than 32, seen in its errors. */
const longest = 31;
/** Hexadecimal digits that keep two shortened names apart. */
const digits = 6;

/**
 * What the Container Apps Job of a job is called: lower case, digits and single hyphens, at most 31 characters. A job's
 * name that is too long is cut, and set apart by a hash of the whole.
 * @param prefix of this installation: letters and digits, at most 8
 */
export function containerAppsJobName(prefix: string, job: string): string {
  const whole = `${prefix}-${job}`;
  if (whole.length <= longest && !whole.includes('--')) return whole;
  const hash = createHash('sha256').update(job).digest('hex').slice(0, digits);
  const head = whole.slice(0, longest - digits - 1).replace(/-+/g, '-');
  return `${head.replace(/-$/, '')}-${hash}`;
}

/** What a Key Vault secret is called inside a Container Apps Job: both allow letters, digits and hyphens, Azure in lower case. */
export function containerAppsSecretName(secret: string): string {
  return secret.toLowerCase();
}

/** How an execution says which attempt it is of, in its environment. */
export const attemptVariable = 'LAMPLIGHTER_RUN';
/** Where the shim finds what it is to run. */
export const specVariable = 'LAMPLIGHTER_SPEC';
