import type { Instant } from '../instant.ts';

/** Code of jobs, each version once, named by its SHA-256. */
export interface Bundles {
  put(digest: string, zip: Buffer): Promise<void>;
  url(digest: string, until: Instant): Promise<string>;
  /** Undefined: it is not kept any more, or too large to be read as a whole. */
  get(digest: string): Promise<Buffer | undefined>;
}

/** More is only handed to shims. */
export const mostRead = 32 * 1024 * 1024;
