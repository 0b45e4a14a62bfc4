import { z } from 'zod';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { deadAfter, noHost } from '../wait.ts';
import { count, spanText } from '../words.ts';

const shape = z.looseObject({
  jobs: z.number(),
  lastTick: z.string().nullable(),
  behind: z.array(z.string()).default([]),
  setAside: z.number(),
});

/** `lamp health`: whether the service works. @returns whether all is right */
export async function health(here: Here, { json }: { json?: boolean }): Promise<boolean> {
  const client = await here.connect();
  const found = await client.get('/health', shape);
  const { jobs, lastTick, behind, setAside } = found;
  const silent = lastTick === null ? Number.POSITIVE_INFINITY : here.now() - Date.parse(lastTick);
  const problems = [
    ...(silent < deadAfter ? [] : [noHost(client)]),
    ...(behind.length === 0 ? [] : [`slots of ${behind.join(', ')} could not be claimed: lamp clock shows since when`]),
    ...(setAside === 0 ? [] : [`${count(setAside, 'launch')} failed five times and was set aside: look at lamp runs`]),
  ];
  if (json) printJson({ ...found, right: problems.length === 0, problems });
  else {
    const ticked = lastTick === null ? 'never' : `${lastTick}, ${spanText(Math.max(silent, 0))} ago`;
    console.log(`${count(jobs, 'job')}, last tick ${ticked}`);
    for (const problem of problems) console.log(`✘ ${problem}`);
    if (problems.length === 0) console.log('✔ It works.');
  }
  return problems.length === 0;
}
