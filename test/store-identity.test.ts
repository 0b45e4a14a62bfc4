import { afterAll } from 'vitest';
import { openByIdentity } from './support/account.ts';
import { startIdentityAzurite } from './support/azurite-identity.ts';

// Everything that a store promises, by an identity and over https: the same tests again, on another account.
const azurite = await startIdentityAzurite();
afterAll(() => azurite.stop());
openByIdentity(azurite);
await import('./store.test.ts');
await import('./store-attempts.test.ts');
