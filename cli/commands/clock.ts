import { z } from 'zod';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import type { ActOptions } from './act.ts';

export interface ClockOptions extends ActOptions {
  confirm?: boolean;
}

const shape = z.object({
  here: z.string(),
  store: z.string(),
  lastTick: z.string().nullable(),
  claimedUntil: z.string().nullable(),
  wrong: z.string().nullable(),
  behind: z.record(z.string(), z.string()),
});
type Clocks = z.infer<typeof shape>;

/** `lamp clock`: which clocks the service goes by, and whether they agree; with --confirm the host's own counts. */
export async function clock(here: Here, { confirm, why, by, json }: ClockOptions): Promise<void> {
  if (confirm && why === '') throw new Refusal('A clock is confirmed with a reason. Add --why <text>.');
  const client = await here.connect(by);
  const clocks = confirm ? await client.post('/clock/confirm', { why }, shape) : await client.get('/clock', shape);
  if (json) printJson(clocks);
  else print(clocks);
  if (clocks.wrong !== null) process.exitCode = 1;
}

function print(clocks: Clocks): void {
  const labels = {
    here: 'the host',
    store: 'the store',
    lastTick: 'last tick',
    claimedUntil: 'slots claimed until',
  } as const;
  for (const [name, label] of Object.entries(labels)) {
    console.log(`${label.padEnd(20)} ${clocks[name as keyof typeof labels] ?? 'never'}`);
  }
  for (const [job, at] of Object.entries(clocks.behind)) {
    console.log(`${job} could not be claimed, and is so until ${at} only`);
  }
  console.log(clocks.wrong ?? 'The clocks agree.');
}
