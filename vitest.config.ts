import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { LongestFirst } from './test/setup/order.ts';
import { findRealPython } from './test/setup/python.ts';

findRealPython(process.env);
// Tests start some hundred hosts, workers and commands: what one has compiled, the others need not compile again.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'tests');

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
};

const patterns = (folders: string[]) =>
  folders.map((folder) =>
    folder === '' || folder.includes('/') ? `test/${folder}*.test.ts` : `test/${folder}/**/*.test.ts`,
  );

function project(name: string, include: string[], exclude: string[] = []): TestProjectConfiguration {
  // These files leave nothing behind: to begin each of them anew would take longer than most of their tests.
  const isolate = name !== 'unit' && name !== 'service';
  return { extends: true, test: { name, include, exclude, isolate, globalSetup: name === 'unit' ? [] : azurite } };
}

export default defineConfig({
  test: {
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
});
