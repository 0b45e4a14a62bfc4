import type { Instant } from '../instant.ts';
import type { Golden } from './golden.ts';
import type { Job } from './job.ts';

/** A job as it would run now. */
export interface Deployed {
  job: Job;
  /** SHA-256 of its bundle; the zip itself is in the store once the job is registered. */
  bundle: string;
  lock: string | null;
  commit: string | null;
  /** Its frozen examples; null or left out: it has none. */
  golden?: Golden | null;
  zip: () => Promise<Buffer>;
}

/** All jobs of this installation, by name. `package` says which of two is the newer. */
export type Catalog = ReadonlyMap<string, Deployed> & { readonly package?: Package };

export interface Package {
  /** When the package was made, or its folder read. */
  made: Instant;
  /** When this process read it. */
  read: Instant;
  /** Jobs that are there and cannot be read just now: they are not gone. */
  broken?: ReadonlySet<string>;
}
