import { relative } from 'node:path';
import { ScaffoldError, scaffold } from '../../shared/manifest/scaffold.ts';
import type { Home } from '../home.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';

export interface NewOptions {
  owner?: string;
  description?: string;
  timeZone?: string;
  json?: boolean;
}

/** `lamp new`: a job folder that runs and passes every check. */
export async function newJob(home: Home, name: string, { json, ...options }: NewOptions): Promise<void> {
  const files = (await scaffold(home.jobs, name, options).catch(refuse)).map((file) => relative(process.cwd(), file));
  if (json) {
    printJson({ job: name, files });
    return;
  }
  for (const file of files) console.log(`made ${file}`);
  console.log(`Edit them, then: lamp check · lamp run ${name} --wait`);
}

function refuse(error: unknown): never {
  throw error instanceof ScaffoldError ? new Refusal(`${error.message}\n  ${error.hint}`) : error;
}
