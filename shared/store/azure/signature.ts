import {
  BlobSASPermissions,
  type BlobServiceClient,
  type ContainerClient,
  RestError,
  SASProtocol,
  type UserDelegationKey,
} from '@azure/storage-blob';
import { day, type Instant, iso, minute, second } from '../../instant.ts';

/** Signs the address of one blob for the one that runs the attempt. `permissions` as in {@link BlobSASPermissions}. */
export type SignBlob = (
  container: ContainerClient,
  blob: string,
  permissions: string,
  until: Instant,
) => Promise<string>;

/** With the account's key: for one machine. */
export const signWithKey: SignBlob = (container, blob, permissions, until) =>
  container.getBlobClient(blob).generateSasUrl({
    permissions: BlobSASPermissions.parse(permissions),
    expiresOn: new Date(until),
  });

/** Azure gives keys for seven days at most (learn.microsoft.com/rest/api/storageservices/get-user-delegation-key). */
const keyLife = 7 * day;
/** A key is good from a little earlier on: the clock of storage may be behind ours. */
const skew = 15 * minute;
/** What a fresh key can sign for. */
const longest = keyLife - skew - second;
/** A key is used for a day and then replaced, so that what it has signed may always be good for nearly six. */
const keyUse = day;
/** After a renewal that failed the old key is used on, and a new one is asked for again after this. */
const pause = minute;

/**
 * With a key that storage gives to our identity: no account key is needed, or exists. One request a day, the one that asks
 * and however many do at once. Addresses work over https alone.
 * @param now the clock that `until` is on
 */
export function signWithDelegation(service: BlobServiceClient, now: () => Instant): SignBlob {
  let key: UserDelegationKey | undefined;
  let renewAt: Instant = 0;
  let renewal: Promise<void> | undefined;

  async function renew(): Promise<void> {
    const from = now() - skew;
    try {
      // To the second, as storage counts: a part of one would be more than seven days.
      const expires = Math.floor((from + keyLife) / second) * second;
      key = await service.getUserDelegationKey(new Date(from), new Date(expires));
      renewAt = from + skew + keyUse;
    } catch (error) {
      renewAt = now() + pause;
      throw explained(error, service);
    }
  }

  async function keyFor(until: Instant): Promise<UserDelegationKey> {
    if (until > now() + longest) {
      throw new RangeError(`${iso(until)} is too far ahead: an address can be good for less than seven days`);
    }
    const good = () => key !== undefined && until <= key.signedExpiresOn.getTime();
    if (!good() || now() >= renewAt) {
      renewal ??= renew().finally(() => {
        renewal = undefined;
      });
      await renewal.catch((error) => {
        if (!good()) throw error;
      });
    }
    return key as UserDelegationKey;
  }

  return async (container, blob, permissions, until) => {
    const options = {
      permissions: BlobSASPermissions.parse(permissions),
      expiresOn: new Date(until),
      protocol: SASProtocol.Https,
    };
    return container.getBlobClient(blob).generateUserDelegationSasUrl(options, await keyFor(until));
  };
}

function explained(error: unknown, { url }: BlobServiceClient): unknown {
  if (!(error instanceof RestError) || error.statusCode !== 403) return error;
  const what = `${url} gives no key to sign addresses with: the identity needs the role Storage Blob Data Contributor`;
  return new Error(`${what} on the whole account, and a new role some minutes (${error.code ?? 403})`, {
    cause: error,
  });
}
