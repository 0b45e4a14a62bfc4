import { openInMemory } from '../support/storage/account.ts';

// What rows promise, of the store in memory: tests over it mean what they would mean over the others.
openInMemory();
await import('./store.test.ts');
await import('./runs.test.ts');
await import('./places.test.ts');
await import('./requests.test.ts');
await import('./recent.test.ts');
await import('./metrics.test.ts');
await import('./alerts.test.ts');
