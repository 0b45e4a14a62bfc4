import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { LongestFirst } from './test/setup/order.ts';
import { findRealPython } from './test/setup/python.ts';

findRealPython(process.env);
// Tests start some hundred hosts, workers and commands: what one has compiled, the others need not compile again.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'tests');

/** What tests leave behind, a process that they killed above all, goes with this folder. */
const scratch = mkdtempSync(join(tmpdir(), 'lamp-'));
// Some are done by another user.
chmodSync(scratch, 0o755);
process.env.TMPDIR = scratch;
process.env.TEMP = scratch;
process.once('exit', () => {
  try {
    rmSync(scratch, { recursive: true, force: true });
  } catch {
    // A file of a container is not the user's own.
  }
});

/** One store for all projects that need it, in memory. */
const azurite = ['test/setup/azurite.ts'];

/** Which files a project takes: folders of test/, or beginnings of file names in one; '' is what lies in test/ itself. */
const taken: Record<string, string[]> = {
  // Needs Node and Python, nothing else.
  unit: ['', 'run', 'job', 'schedule', 'manifest', 'alerts', 'drift', 'samples'],
  // The service over its store, in memory or as Azurite plays it.
  service: ['actions', 'api', 'pipeline', 'secrets', 'upkeep'],
  shim: ['shim', 'executors/process', 'executors/prefork'],
  // Needs a Docker daemon.
  docker: ['executors/docker'],
  // What Azure is played by: its storage over TLS, its management, its templates, its queries.
  azure: ['executors/arm', 'executors/container-apps', 'infra'],
  // Of the command line what is no whole `lamp` in this process: that keeps its tokens and its app until it ends.
  command: [
    ...['alerts-check', 'archive-', 'canary', 'channel-secrets', 'check', 'clock', 'deploy', 'ends', 'leftover'],
    ...['meant-by', 'outputs', 'printer', 'rows', 'terminal', 'verify', 'words'],
  ].map((name) => `cli/${name}`),
  // Rows, blobs and queues; without the files that change for good which store a test opens.
  rows: ['a', 'd', 'k', 'l', 'metrics', 'p', 'r', 's'].map((name) => `store/${name}`),
};

const patterns = (folders: string[]) =>
  folders.map((folder) =>
    folder === '' || folder.includes('/') ? `test/${folder}*.test.ts` : `test/${folder}/**/*.test.ts`,
  );

function project(name: string, include: string[], exclude: string[] = []): TestProjectConfiguration {
  // The others leave nothing behind: to begin each of their files anew would take a second of a processor for each.
  const isolate = name === 'store';
  return { extends: true, test: { name, include, exclude, isolate, globalSetup: name === 'unit' ? [] : azurite } };
}

export default defineConfig(({ mode }) => ({
  test: {
    // `npm run simulate`
    env: mode === 'long' ? { LONG_SIMULATION: '1' } : {},
    // Node loads our files as it does in life, and keeps what it has compiled: a fifth less work than to have Vite do it.
    // For vi.mock it would need nodeLoader.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: Math.max(3, availableParallelism()),
    restoreMocks: true,
    unstubEnvs: true,
    sequence: { sequencer: LongestFirst },
    projects: [
      ...Object.entries(taken).map(([name, folders]) => project(name, patterns(folders))),
      // Everything else runs over the store: no new file can belong to no project.
      project('store', ['test/**/*.test.ts'], patterns(Object.values(taken).flat())),
    ],
  },
}));
