import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Ports, startAzurite } from '../support/storage/azurite.ts';

declare module 'vitest' {
  interface ProvidedContext {
    azurite: { ports: Ports; taken: string };
  }
}

/** Accounts that one Azurite serves; every test that wants an empty store takes one for itself. */
const accountCount = 2_000;

interface Shared {
  started: Promise<{ folder: string; ports: Ports; stop(): void }>;
  users: number;
}

/** Each project loads this file anew; what they share stays with the process. */
const shared = globalThis as { lampAzurite?: Shared };

async function start() {
  const folder = await mkdtemp(join(tmpdir(), 'lamp-test-'));
  return { folder, ...(await startAzurite(accountCount)) };
}

/** Starts one in-memory Azurite for the whole test run, whatever projects it has. */
export default async function setup(project: TestProject) {
  shared.lampAzurite ??= { started: start(), users: 0 };
  const one = shared.lampAzurite;
  one.users += 1;
  const { folder, ports, stop } = await one.started;
  project.provide('azurite', { ports, taken: folder });
  return async () => {
    one.users -= 1;
    if (one.users > 0) return;
    delete shared.lampAzurite;
    stop();
    await rm(folder, { recursive: true, force: true });
  };
}
