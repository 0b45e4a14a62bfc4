import { setTimeout as sleep } from 'node:timers/promises';
import { type Deployment, deployment } from '../deploy/deployment.ts';
import { made, outputOf } from '../deploy/made.ts';
import { namedIn } from '../deploy/named.ts';
import { type DeployOptions, defaultBase, target } from '../deploy/options.ts';
import { processRun } from '../deploy/run.ts';
import type { Home } from '../home.ts';
import { printJson } from '../json.ts';
import { printTable } from '../table.ts';

export type OutputsOptions = Pick<DeployOptions, 'name' | 'resourceGroup' | 'environment'> & { json?: boolean };

/** `lamp outputs`: what a deployment gave. With one name its value alone, for a shell. */
export async function outputs(home: Home, only: string | undefined, options: OutputsOptions): Promise<void> {
  printOutputs(await made(await here(home, options)), only, options.json === true);
}

export function printOutputs(all: Record<string, unknown>, only: string | undefined, json: boolean): void {
  const value = only === undefined ? undefined : outputOf(all, only);
  if (json) printJson(value ?? all);
  else if (value !== undefined) console.log(text(value));
  else {
    const rows = Object.entries(all).map(([name, one]) => [name, text(one)]);
    printTable(['NAME', 'VALUE'], rows);
  }
}

/** Of a list the names, as far as it has some: the whole is in the JSON. */
function text(value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => (one as { name?: string })?.name ?? String(one)).join(' ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

async function here({ root, jobs }: Home, { name, resourceGroup, environment }: OutputsOptions): Promise<Deployment> {
  const wanted = { environment, base: defaultBase, builder: 'acr' as const, from: 'check' as const };
  const given = target(
    { ...wanted, ...(name && { name }), ...(resourceGroup && { resourceGroup }) },
    name ?? (await namedIn(root, environment)),
  );
  // The commands go where they do not disturb.
  const say = (line: string) => console.error(line);
  const run = processRun({ root, say });
  return deployment({
    target: given,
    root,
    jobs,
    now: Date.now(),
    environment: process.env,
    run,
    sleep,
    say,
    confirm: () => Promise.resolve(),
  });
}
