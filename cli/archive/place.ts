import { DefaultAzureCredential } from '@azure/identity';
import { bounded } from '../../shared/clients/credential.ts';
import { openStore } from '../../shared/store/azure/store.ts';
import type { KeptStore } from '../../shared/store/store.ts';
import { exits, Refusal } from '../refusal.ts';

/** A person waits for az, which takes its time. */
const signInMs = 60_000;

/**
 * The data account of an installation in Azure, as the user who is signed in with az. They need the roles Storage Blob
 * Data Contributor and Storage Table Data Contributor on it; to export, the Readers.
 * @param account its name, or the address of its blobs in a cloud of another name. @throws Refusal
 */
export function openAccountOf(account: string): KeptStore {
  const { blobs, tables, queues } = addressesOf(account);
  const credential = bounded(new DefaultAzureCredential(), signInMs);
  return openStore({ blobs, tables, queues, credential });
}

function addressesOf(account: string): { blobs: string; tables: string; queues: string } {
  const blobs = /^[a-z0-9]{3,24}$/.test(account) ? `https://${account}.blob.core.windows.net` : account;
  if (!/^https:\/\/[a-z0-9]{3,24}\.blob\.[a-z0-9.-]+\/?$/.test(blobs)) {
    throw new Refusal(
      `--account "${account}" is no storage account: expected its name, 3 to 24 lower-case letters and digits. ` +
        'List them: az storage account list --resource-group <group> --query "[].name"; the history is in the one with data.',
    );
  }
  const of = (service: string) => blobs.replace('.blob.', `.${service}.`);
  return { blobs, tables: of('table'), queues: of('queue') };
}

/** The same error; of one that the account refuses what to do: its network is closed to us, or we lack a role. */
export function refusedBy(account: string, error: unknown, what: 'export' | 'import'): unknown {
  if ((error as { statusCode?: unknown }).statusCode !== 403) return error;
  if (codeOf(error) === 'AuthorizationFailure') {
    return new Refusal(
      `The network of the account ${account} is closed to this machine: let the address in for that time, or go through ` +
        'its own network (docs/network.md).',
      exits.notAllowed,
    );
  }
  const role = what === 'export' ? 'Reader' : 'Contributor';
  return new Refusal(
    `The account ${account} refuses it: you need the roles Storage Blob Data ${role} and Storage Table Data ${role} on it, ` +
      'and a new role some minutes.',
    exits.notAllowed,
  );
}

/** Tables have it in their body, blobs in theirs; the answer to HEAD has none, and a header. */
function codeOf(error: unknown): string | undefined {
  const { code, details } = error as {
    code?: string;
    details?: { errorCode?: string; odataError?: { code?: string } };
  };
  return details?.odataError?.code ?? details?.errorCode ?? code;
}
