import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * What takes longest, the longest first: begun last, one of them would keep the machine waiting alone. A fresh copy of the
 * repository has no record of what files took, and Vitest goes by project first.
 */
const longest = [
  'faults/faults',
  'cli/real-az-deploy',
  'executors/docker-life',
  'pipeline/simulation',
  'cli/cli',
  'infra/azure',
  'cli/deploy-whole',
  'telemetry/telemetry',
  'cli/start',
  'pipeline/two-hosts',
  'shim/secret-sinks',
  'executors/docker-rude',
  'executors/docker-lamp',
  'drift/prospects',
].map((name) => `/test/${name}.test.ts`);

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    const place = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? longest.length : at;
    };
    return usual.sort((a, b) => place(a) - place(b));
  }
}
