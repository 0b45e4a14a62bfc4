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

/** Starts one in-memory Azurite for the whole test run. */
export default async function setup(project: TestProject) {
  const folder = await mkdtemp(join(tmpdir(), 'lamp-test-'));
  const { ports, stop } = await startAzurite(accountCount);
  project.provide('azurite', { ports, taken: folder });
  return async () => {
    stop();
    await rm(folder, { recursive: true, force: true });
  };
}
