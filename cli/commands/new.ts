import { relative } from 'node:path';
import { scaffold } from '../../shared/manifest/scaffold.ts';
import type { Home } from '../home.ts';
import { printJson } from '../json.ts';

export interface NewOptions {
  owner?: string;
  description?: string;
  timeZone?: string;
  json?: boolean;
}

/** `lamp new`: a job folder that runs and passes every check. */
export async function newJob(home: Home, name: string, { json, ...options }: NewOptions): Promise<void> {
  const files = (await scaffold(home.jobs, name, options)).map((file) => relative(process.cwd(), file));
  if (json) {
    printJson({ job: name, files });
    return;
  }
  for (const file of files) console.log(`made ${file}`);
  console.log(`Edit them, then: lamp check · lamp run ${name} --wait`);
}
