import { openInFolders } from '../support/storage/account.ts';

// Everything that a store promises, of the embedded one: the same tests again.
openInFolders();
await import('./store.test.ts');
await import('./runs.test.ts');
await import('./attempts.test.ts');
await import('./places.test.ts');
await import('./requests.test.ts');
await import('./recent.test.ts');
await import('./metrics.test.ts');
await import('./alerts.test.ts');
