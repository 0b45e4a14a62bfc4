import { afterAll } from 'vitest';
import { openByIdentity } from '../support/storage/account.ts';
import { startIdentityAzurite } from '../support/storage/azurite-identity.ts';

// Everything that a store promises, by an identity and over https: the same tests again, on another account.
const azurite = await startIdentityAzurite();
afterAll(() => azurite.stop());
openByIdentity(azurite);
await import('./store.test.ts');
await import('./attempts.test.ts');
