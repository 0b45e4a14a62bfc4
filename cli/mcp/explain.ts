import { z } from 'zod';
import { plainly } from '../../shared/alerts/cause.ts';
import { runView } from '../../shared/api/views.ts';
import { errorClasses } from '../../shared/job/error-class.ts';
import { visible } from '../../shared/text.ts';
import type { Client } from '../client.ts';
import { tailOf } from './tail.ts';

const runs = z.object({ items: z.array(runView) });

/** Why a run failed, for a person who does not read Python; each part on lines of its own. */
export async function explainRun(client: Client, name: string): Promise<string> {
  const [job = '', id = ''] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
  const path = `/jobs/${encodeURIComponent(job)}/runs`;
  const run = await client.get(`${path}/${encodeURIComponent(id)}`, runView);
  if (run.state === 'succeeded') return `${run.run} succeeded.`;
  const last = run.attempts.at(-1);
  const known = errorClasses.find((one) => one === last?.errorClass);
  const lines = [`${run.run} ${run.state}${run.reason ? `: ${visible(run.reason)}` : ''}`];
  if (known) {
    const { sentence, firstStep } = plainly({ job: null, cause: 'failed', errorClass: known, errorKind: null });
    lines.push(sentence, `First step: ${firstStep}`);
  }
  if (last?.error) lines.push(`Error: ${visible(last.error)}`);
  const { items } = await client.get(`${path}?state=succeeded&limit=1&until=${encodeURIComponent(run.slot)}`, runs);
  lines.push(...changes(items[0], run));
  if (last)
    lines.push(
      'Last lines:',
      await tailOf(client, `${path}/${encodeURIComponent(id)}/attempts/${last.number}/log`, 20),
    );
  return lines.join('\n');
}

/** What is not the same as in the last success, by the version stamps of both. */
function changes(good: z.infer<typeof runView> | undefined, bad: z.infer<typeof runView>): string[] {
  if (!good) return ['The job has not succeeded before this run.'];
  const [before, after] = [good.versions, bad.versions].map((versions) => versions as Record<string, unknown> | null);
  if (!before || !after) return [`Last success: ${good.run}.`];
  const changed = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const what = changed.length === 0 ? 'nothing on our side' : changed.join(', ');
  return [`Last success: ${good.run}. Changed since: ${what}.`];
}
