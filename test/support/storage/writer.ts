import { minute } from '../../../shared/instant.ts';
import { newRun, runId } from '../../../shared/run/run.ts';
import { openEmbedded } from '../../../shared/store/embedded/store.ts';

/**
 * Claims slots, ends runs, queues launches and leaves results in a store as fast as it can, and prints what was
 * acknowledged, a line each, until it is killed:
 *
 *   node test/support/storage/writer.ts FOLDER JOB
 */
const [folder = '', job = ''] = process.argv.slice(2);
const store = openEmbedded(folder);
const first = Date.UTC(2026, 10, 20);
const say = (what: string) => process.stdout.write(`${what}\n`);

async function work(from: number): Promise<void> {
  for (let at = from; ; at += 4) {
    const slot = first + at * minute;
    const claimed = await store.runs.insert(newRun(job, slot, 'schedule', slot));
    if (!claimed) throw new Error(`${slot} was claimed before`);
    say(`claimed ${slot}`);
    const id = { job, run: runId(slot, 'schedule'), attempt: 1 };
    await store.launches.put(id, slot, Date.now());
    say(`queued ${id.run}`);
    if (await store.attempts.abandon(id, 'test')) say(`abandoned ${id.run}`);
    if (await store.runs.replace({ ...claimed.value, state: 'lost', endedAt: slot }, claimed.etag))
      say(`ended ${slot}`);
  }
}

await Promise.all([0, 1, 2, 3].map(work));
