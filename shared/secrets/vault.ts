import type { Instant } from '../instant.ts';

/** Where secrets come from: a local file here, Key Vault in Azure. Names go into tables, values never. */
export interface Vault {
  /** For messages: `the file …/secrets.env`, `the vault https://…`. */
  readonly place: string;
  /** What a run that starts now gets. @throws SecretError */
  read(name: string): Promise<Secret>;
  /** The same without its value. @throws SecretError */
  version(name: string): Promise<SecretVersion>;
}

/** Dates are UTC, null: none is set. A vault hands a secret out before and after them all the same. */
export interface SecretVersion {
  /** Opaque; changes when the value does. */
  version: string;
  validFrom: Instant | null;
  expiresOn: Instant | null;
}

export interface Secret {
  value: string;
  /** Opaque; changes when the value does. */
  version: string;
}

export type SecretTrouble = 'missing' | 'disabled' | 'forbidden' | 'throttled' | 'unreachable' | 'unsafe';

/** Says which secret, where it was looked for, and what to do. Never holds a value. */
export class SecretError extends Error {
  readonly trouble: SecretTrouble;

  constructor(trouble: SecretTrouble, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SecretError';
    this.trouble = trouble;
  }

  /** Whether trying again later can help. */
  get passing(): boolean {
    return this.trouble === 'throttled' || this.trouble === 'unreachable';
  }
}
