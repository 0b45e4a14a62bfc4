import { z } from 'zod';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';

const shape = z.object({ opened: z.array(z.string()), already: z.array(z.string()) });

/** `lamp owner-left`: each production job of that person gets an incident until its manifest names another owner. */
export async function ownerLeft(here: Here, email: string, options: { why: string; json?: boolean }): Promise<void> {
  const client = await here.connect();
  const { opened, already } = await client.post('/owner-left', { email, why: options.why }, shape);
  if (options.json) return printJson({ email, opened, already });
  if (opened.length + already.length === 0) return console.log(`No production job names ${email} as its owner.`);
  if (opened.length > 0) console.log(`Without an owner: ${opened.join(', ')}. Name another in each job.yaml.`);
  if (already.length > 0) console.log(`Known already: ${already.join(', ')}`);
}
