import { join } from 'node:path';
import { canaryJob } from '../../shared/job/canary.ts';
import type { Catalog, Deployed } from '../../shared/job/catalog.ts';
import { readFolder } from '../host/folder.ts';
import { Refusal } from '../refusal.ts';
import { programRoot } from './root.ts';

/** Of the program, not of the jobs. */
const folder = join(programRoot, 'infra/canary');

/** The jobs with the canary beside them. @throws Refusal when a job has its name */
export async function withCanary(catalog: Catalog): Promise<Catalog> {
  if (catalog.has(canaryJob)) {
    throw new Refusal(`jobs/${canaryJob}: the name is that of a job of Lamplighter itself: give the job another one`);
  }
  const all = new Map<string, Deployed>([...catalog, [canaryJob, await canary()]]);
  return catalog.package ? Object.assign(all, { package: catalog.package }) : all;
}

/** @throws Refusal when the program is not whole */
export async function canary(): Promise<Deployed> {
  const own = (await readFolder(folder)).catalog.get(canaryJob);
  if (!own) throw new Refusal(`${folder} cannot be read: take it from the repository again`);
  return own;
}
