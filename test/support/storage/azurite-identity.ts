import type { IdentityAccount } from '../../../shared/clients/storage.ts';
import { connectionString, startAzurite } from './azurite.ts';
import { selfSigned, trust } from './certificate.ts';
import { TestCredential } from './credential.ts';

/** An Azurite over https that takes tokens of an identity, besides the keys that tests look behind the scenes with. */
export interface IdentityAzurite {
  /** Given along with every request; says what it was asked for. */
  credential: TestCredential;
  /** For programs that must trust it: `SSL_CERT_FILE` of Python, `NODE_EXTRA_CA_CERTS` of Node. */
  certFile: string;
  /** The connection string of an account that no one has used. */
  freshAccount(): string;
  /** The same account without its key. */
  identityOf(connection: string): IdentityAccount;
  stop(): Promise<void>;
}

/** Accounts that it serves. */
const accountCount = 200;

/** It checks who a token is for, since when and until when it is good, and not what its bearer may do. */
export async function startIdentityAzurite(): Promise<IdentityAzurite> {
  const certificate = selfSigned();
  trust(certificate);
  const files = ['--cert', certificate.certFile, '--key', certificate.keyFile];
  const { ports, stop } = await startAzurite(accountCount, ['--oauth', 'basic', ...files]);
  const credential = new TestCredential();
  let taken = 0;
  return {
    credential,
    certFile: certificate.certFile,
    freshAccount() {
      if (taken === accountCount) throw new Error(`all ${accountCount} accounts are taken`);
      return connectionString('https', `test${taken++}`, ports);
    },
    identityOf(connection) {
      const part = (name: string) => new RegExp(`${name}=([^;]+)`).exec(connection)?.[1] ?? '';
      const [blobs, queues, tables] = ['BlobEndpoint', 'QueueEndpoint', 'TableEndpoint'].map(part) as [
        string,
        string,
        string,
      ];
      return { blobs, queues, tables, credential };
    },
    async stop() {
      stop();
      await certificate.remove();
    },
  };
}
