import { join, relative } from 'node:path';
import { isError, problemText } from '../../shared/manifest/problem.ts';
import { withCanary } from '../deploy/canary.ts';
import { makePackage } from '../deploy/package.ts';
import type { Home } from '../home.ts';
import { readLocalAlerts } from '../host/alerts.ts';
import { readFolder } from '../host/folder.ts';
import { Refusal } from '../refusal.ts';
import { count } from '../words.ts';

export interface PackageFlags {
  prefix: string;
  json?: boolean;
}

/** `lamp package`: the folder that func publishes, and the list of jobs that infra/ deploys. All jobs, or nothing. */
export async function makeAppPackage(home: Home, { prefix, json }: PackageFlags): Promise<void> {
  if (!/^[a-z][a-z0-9]{0,7}$/.test(prefix)) {
    throw new Refusal(`--prefix ${prefix}: expected a lower-case letter, then at most 7 letters and digits, e.g. lamp`);
  }
  const { catalog, problems } = await readFolder(home.jobs);
  if (problems.some(isError)) throw new Refusal([...problems.map(problemText), 'Nothing was packaged.'].join('\n'));
  for (const warning of problems) console.error(problemText(warning));
  const out = join(home.root, 'dist', 'app');
  const index = join(home.root, 'infra', 'jobs.json');
  await makePackage({ catalog: await withCanary(catalog), prefix, out, index, alerts: await readLocalAlerts(home) });
  if (json) console.log(JSON.stringify({ package: out, index, jobs: [...catalog.keys()] }, null, 2));
  else {
    const here = (path: string) => relative(process.cwd(), path) || '.';
    console.log(`${here(out)} has the app with ${count(catalog.size, 'job')}, ${here(index)} the list for infra/.`);
  }
}
