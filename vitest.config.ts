import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

/** A store of its own for the whole project, in memory. */
const azurite = ['test/setup/azurite.ts'];

/** @param folders of test/, or beginnings of file names in one; '' means the files that lie in test/ itself */
function project(name: string, folders: string[], globalSetup: string[] = azurite): TestProjectConfiguration {
  const include = folders.map((folder) =>
    folder === '' || folder.includes('/') ? `test/${folder}*.test.ts` : `test/${folder}/**/*.test.ts`,
  );
  return { extends: true, test: { name, include, globalSetup } };
}

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      // Needs Node and Python, nothing else.
      project('unit', ['run', 'job', 'schedule', 'manifest', 'alerts', 'drift', 'samples', ''], []),
      project('store', [
        'store',
        'clients',
        'pipeline',
        'actions',
        'api',
        'upkeep',
        'secrets',
        'telemetry',
        'cli',
        'faults',
      ]),
      project('shim', ['shim', 'executors/process', 'executors/prefork', 'executors/store-proxy']),
      // Needs a Docker daemon.
      project('docker', ['executors/docker']),
      // What Azure is played by: its storage over TLS, its management, its templates, its queries.
      project('azure', ['executors/arm', 'executors/container-apps', 'infra']),
    ],
  },
});
