import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { generate } from 'selfsigned';

/** A certificate for this machine, and for the vault that it plays, that no other host has signed; as files and as text. */
export interface Certificate {
  keyFile: string;
  certFile: string;
  key: string;
  cert: string;
  remove(): Promise<void>;
}

/** Clients of Key Vault insist on a name of its domain. */
export const vaultHost = 'kv-lamp.vault.azure.net';

/** One for all servers of a process. */
const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
  keyType: 'ec',
  curve: 'P-256',
  extensions: [
    { name: 'basicConstraints', cA: true },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 7, ip: '127.0.0.1' },
        { type: 2, value: 'localhost' },
        { type: 2, value: vaultHost },
      ],
    },
  ],
});

export function selfSigned(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'lamp-cert-'));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  writeFileSync(keyFile, key);
  writeFileSync(certFile, cert);
  return { keyFile, certFile, key, cert, remove: () => rm(folder, { recursive: true, force: true }) };
}

const trusted = new Set<string>();

/** From here on this thread takes the certificate for good, beside those that it took before. */
export function trust({ cert }: Certificate): void {
  if (trusted.has(cert)) return;
  trusted.add(cert);
  setDefaultCACertificates([...getCACertificates('default'), cert]);
}
