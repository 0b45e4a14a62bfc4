import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/** A certificate for this machine, and for the vault that it plays, that nobody else has signed; as files and as text. */
export interface Certificate {
  keyFile: string;
  certFile: string;
  key: string;
  cert: string;
  remove(): Promise<void>;
}

/** Clients of Key Vault insist on a name of its domain. */
export const vaultHost = 'kv-lamp.vault.azure.net';

export function selfSigned(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'lamp-cert-'));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', `subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:${vaultHost}`];
  execFileSync('openssl', ['req', '-x509', ...curve, ...names, '-keyout', keyFile, '-out', certFile], {
    stdio: 'pipe',
  });
  return {
    keyFile,
    certFile,
    key: readFileSync(keyFile, 'utf8'),
    cert: readFileSync(certFile, 'utf8'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** From here on this thread takes the certificate for good, beside those that it took before. */
export function trust({ cert }: Certificate): void {
  setDefaultCACertificates([...getCACertificates('default'), cert]);
}
