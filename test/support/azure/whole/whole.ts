import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withCanary } from '../../../../cli/deploy/canary.ts';
import { commandText } from '../../../../cli/deploy/command.ts';
import { deployment } from '../../../../cli/deploy/deployment.ts';
import { type DeployOptions, defaultBase, target } from '../../../../cli/deploy/options.ts';
import { packedIndex } from '../../../../cli/deploy/package.ts';
import type { Run } from '../../../../cli/deploy/run.ts';
import { deploySteps } from '../../../../cli/deploy/sequence.ts';
import { readFolder } from '../../../../cli/host/folder.ts';
import { Refusal } from '../../../../cli/refusal.ts';
import type { Finding } from '../../../../cli/verify/finding.ts';
import { findings } from '../../../../cli/verify/verify.ts';
import { noAlerts } from '../../../../shared/alerts/settings.ts';
import { second } from '../../../../shared/instant.ts';
import { Azure, type Faults, noFaults } from './azure.ts';
import { Running } from './running.ts';

export interface Wish {
  jobs?: number;
  faults?: Partial<Faults>;
  options?: Partial<DeployOptions>;
  /** Whether this machine is in the network of the installation. */
  inside?: boolean;
}

export interface Deployed {
  /** What `lamp deploy` refused to go on with; null: it went through. */
  error: string | null;
  /** What the last `lamp verify` found that is not right. */
  bad: Finding[];
  /** How often it looked. */
  looks: number;
  said: string[];
  asked: string[];
  /** Virtual time that it took, ms. */
  tookMs: number;
  close(): Promise<void>;
}

/** `lamp deploy` of a new installation with these jobs, to the end of its `lamp verify`, in an Azure with these faults. */
export async function deployWhole({ jobs = 2, faults, options, inside = false }: Wish = {}): Promise<Deployed> {
  const root = await mkdtemp(join(tmpdir(), 'lamp-whole-'));
  const write = async (name: string, text: string) => {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), text);
  };
  await write('infra/runtime/Dockerfile', 'FROM scratch\n');
  await write('infra/runtime/lamplighter_shim/__main__.py', 'print("here")\n');
  await Promise.all(Array.from({ length: jobs }, (_, at) => writeJob(write, `job-${at}`)));

  const app = await Running.open();
  app.inside = inside;
  const secrets = Array.from({ length: jobs }, (_, at) => `key-${at}`);
  const azure = new Azure(root, app, { ...noFaults, secrets, ...faults });
  const began = app.world.now;
  const said: string[] = [];
  const run: Run = async (command) => {
    said.push(`$ ${commandText(command)}`);
    if (command.argv[0] !== 'npm') return azure.run(command);
    const catalog = await withCanary((await readFolder(join(root, 'jobs'))).catalog);
    await write(
      'infra/jobs.json',
      packedIndex(
        'lamp',
        [...catalog.values()].map(({ job }) => job),
        noAlerts,
      ),
    );
    await write('dist/app/index.js', '');
    return { code: 0, stdout: '', stderr: '' };
  };
  const sleep = (ms: number) => app.world.pass(app.world.now + ms);
  const looked: Finding[][] = [];
  const here = deployment({
    target: target(
      {
        resourceGroup: 'rg-sample',
        environment: 'dev',
        location: 'westeurope',
        alertEmails: 'ops@contoso.com',
        base: defaultBase,
        builder: 'acr',
        from: 'check',
        yes: true,
        ...options,
      },
      'lamp-dev',
    ),
    root,
    jobs: join(root, 'jobs'),
    now: began,
    environment: {},
    run,
    sleep,
    say: (line) => said.push(line),
    confirm: () => Promise.reject(new Refusal('There is no one to ask here')),
  });
  const patience = { every: 5 * second, patience: 150 * second, clock: () => app.world.now, sleep };
  const error = await deploySteps(here, async (name, resourceGroup) => {
    const found = await findings(run, { app: name, resourceGroup }, patience, { files: new Map(), now: began });
    looked.push(found);
    return found;
  }).then(
    () => null,
    (error: Error) => {
      if (error instanceof Refusal) return error.message;
      throw error;
    },
  );
  return {
    error,
    bad: (looked.at(-1) ?? []).filter(({ state }) => state !== 'right'),
    looks: looked.length,
    said,
    asked: azure.asked,
    tookMs: app.world.now - began,
    async close() {
      await app.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function writeJob(write: (name: string, text: string) => Promise<void>, name: string): Promise<void> {
  await write(`jobs/${name}/main.py`, 'print("hello")\n');
  await write(`jobs/${name}/README.md`, `# ${name}\n`);
  await write(
    `jobs/${name}/job.yaml`,
    `description: Does something for a test.
owner: { email: dana@contoso.com, department: Sales }
tier: low-risk
data: internal
schedule: { cron: "0 7 * * *", timeZone: Europe/London }
run: { command: [python, main.py] }
secrets: { KEY: ${name.replace('job', 'key')} }
`,
  );
}
