/** Where secrets come from: a local file here, Key Vault in Azure. Names go into tables, values never. */
export interface Vault {
  /** For messages: `the file …/secrets.env`, `the vault https://…`. */
  readonly place: string;
  /** The newest enabled version of a secret. @throws SecretError */
  read(name: string): Promise<Secret>;
  /** The version alone. @throws SecretError */
  version(name: string): Promise<string>;
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
