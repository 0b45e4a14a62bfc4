import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

interface Job {
  needs?: string;
  if?: string;
  environment?: string;
  outputs?: Record<string, string>;
  permissions?: Record<string, string>;
  'timeout-minutes'?: number;
  steps: Step[];
}

interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  concurrency: { group: string; 'cancel-in-progress': string };
  jobs: Record<'check' | 'what-if' | 'dev' | 'prod', Job>;
}

const root = join(import.meta.dirname, '../..');
let text: string;
let workflow: Workflow;

beforeAll(async () => {
  text = await readFile(join(root, '.github/workflows/deploy.yml'), 'utf8');
  workflow = parse(text, { strict: true });
});

const steps = () => Object.values(workflow.jobs).flatMap((job) => job.steps);

test('every action is pinned to a commit, with its version beside it, and to the same one everywhere', () => {
  const lines = text.split('\n').filter((line) => /^\s*(- )?uses:/.test(line));
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  const pins = new Map<string, Set<string>>();
  for (const { uses } of steps()) {
    const [action, commit] = uses?.split('@') ?? [];
    if (action && commit) pins.set(action, (pins.get(action) ?? new Set()).add(commit));
  }
  expect([...pins.keys()].sort()).toEqual(['actions/checkout', 'actions/setup-node', 'azure/login']);
  for (const commits of pins.values()) expect(commits.size).toBe(1);
});

test('a job may read the repository, and only one that signs in to Azure gets a token for that', () => {
  expect(workflow.permissions).toEqual({ contents: 'read' });
  for (const { permissions, steps, environment } of Object.values(workflow.jobs)) {
    const signsIn = steps.some(({ uses }) => uses?.startsWith('azure/login@'));
    if (signsIn) expect(permissions).toEqual({ contents: 'read', 'id-token': 'write' });
    else expect(permissions).toBeUndefined();
    // An environment is what Azure's federated credential names, and where reviewers stand.
    expect(environment !== undefined).toBe(signsIn);
  }
});

test('it holds no secret, leaves no credential behind, and runs no words of a pull request', () => {
  expect(text).not.toContain('secrets.');
  expect(Object.keys(workflow.on).sort()).toEqual(['pull_request', 'push']);
  for (const { uses, with: given, run } of steps()) {
    if (uses?.startsWith('actions/checkout@')) expect(given).toMatchObject({ 'persist-credentials': false });
    if (run) expect(run).not.toContain('${{');
  }
});

test('pull requests of forks are not shown to Azure, and only what was pushed to main is deployed', () => {
  const { jobs } = workflow;
  expect(jobs['what-if'].if).toContain('head.repo.full_name == github.repository');
  expect(jobs.dev.if).toContain("github.event_name == 'push'");
  expect(jobs['what-if'].needs).toBe('check');
  expect(jobs.dev.needs).toBe('check');
  expect(jobs.prod.needs).toBe('dev');
  expect(workflow.concurrency['cancel-in-progress']).toContain("github.event_name == 'pull_request'");
  for (const job of Object.values(jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0);
});

test('prod builds no image: it takes the one that dev has tried', () => {
  const { dev, prod } = workflow.jobs;
  expect(Object.keys(dev.outputs ?? {})).toEqual(['digest', 'registry']);
  const [deploy] = prod.steps.filter(({ run }) => run?.includes('lamp deploy'));
  expect(deploy?.run).toContain('--image "$DIGEST" --image-from "$DEV_REGISTRY"');
  expect(deploy?.env?.DIGEST).toContain('needs.dev.outputs.digest');
  const infra = text.match(/made (\w+)\.(\w+)/g);
  expect(infra).toEqual(['made parameters.runtimeImageDigest', 'made outputs.registryName']);
});

test('every command of it exists, with its options', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const main = await readFile(join(root, 'cli/program/azure.ts'), 'utf8');
  const runs = steps().flatMap(({ run }) => (run?.split('\n') ?? []).filter((line) => line !== ''));
  for (const run of runs) {
    const [program, command, name, ...words] = run.split(' ');
    if (program === 'npm' && command === 'run') expect(scripts).toHaveProperty(name ?? '');
    else if (program === 'npx') {
      expect(command).toBe('lamp');
      const own = main.slice(main.indexOf(`.command('${name}')`));
      expect(own.startsWith(`.command('${name}')`)).toBe(true);
      const section = own.slice(0, own.indexOf('.action('));
      for (const word of words.filter((one) => one.startsWith('--'))) expect(section).toMatch(new RegExp(`${word}\\b`));
    } else if (/^(made\(\)|echo )/.test(run)) {
      // What dev has tried, handed on to prod: outputs and parameters that infra/ has.
      expect(run).toMatch(/(--resource-group rg-lamp-dev --name lamplighter-lamp-dev-all|>> "\$GITHUB_OUTPUT"$)/);
    } else
      expect(run).toMatch(
        /^(npm (ci|test|install --global azure-functions-core-tools@4\.\d+\.\d+)|pipx install (uv|azure-cli)==\d+\.\d+\.\d+)$/,
      );
  }
  const all = runs.join('\n');
  for (const part of [
    'npm run check',
    'npm test',
    '--what-if',
    '--environment dev --yes',
    '--environment prod --yes',
  ]) {
    expect(all).toContain(part);
  }
});
