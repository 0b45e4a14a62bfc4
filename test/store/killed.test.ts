import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runId } from '../../shared/run/run.ts';
import { databaseFile, openEmbedded } from '../../shared/store/embedded/store.ts';
import { numbers } from '../support/pipeline/random.ts';
import { freshFolder } from '../support/storage/account.ts';

const program = join(import.meta.dirname, '../support/storage/writer.ts');

interface Writer {
  job: string;
  child: ChildProcess;
  /** Whole lines only: half a line was not acknowledged. */
  lines(): string[];
}

function writer(folder: string, job: string): Writer {
  const child = spawn(process.execPath, [program, folder, job], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return {
    job,
    child,
    lines: () =>
      text
        .slice(0, text.lastIndexOf('\n') + 1)
        .split('\n')
        .filter(Boolean),
  };
}

test('nothing that two processes acknowledged is lost when both are killed at any instant, again and again', async () => {
  const random = numbers(42);
  const folder = freshFolder();
  let acknowledged = 0;
  for (let round = 0; round < 6; round++) {
    const writers = ['one', 'two'].map((name) => writer(folder, `${name}-${round}`));
    while (writers.some(({ lines }) => lines().length < 20)) await sleep(5);
    await sleep(random() * 100);
    for (const { child } of writers) child.kill('SIGKILL');
    await Promise.all(writers.map(({ child }) => once(child, 'close')));

    const store = openEmbedded(folder);
    const queued = new Set(launchesIn(folder));
    for (const { job, lines } of writers) {
      for (const line of lines()) {
        const [what, name = ''] = line.split(' ');
        const id = { job, run: name, attempt: 1 };
        const run = (at: string) => store.runs.get(job, runId(Number(at), 'schedule'));
        if (what === 'claimed') expect(await run(name)).toBeDefined();
        else if (what === 'ended') expect((await run(name))?.value.state).toBe('lost');
        else if (what === 'queued') expect(queued).toContain(`${job} ${name}`);
        else
          expect([await store.attempts.begun(id), await store.attempts.abandon(id, 'other')]).toEqual([
            undefined,
            true,
          ]);
        acknowledged += 1;
      }
    }
    store.close();
  }
  expect(acknowledged).toBeGreaterThan(240);
  using db = new DatabaseSync(databaseFile(folder));
  expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
});

function launchesIn(folder: string): string[] {
  using db = new DatabaseSync(databaseFile(folder));
  return db
    .prepare('SELECT text FROM launches')
    .all()
    .map(({ text }) => {
      const { job, run } = JSON.parse(String(text));
      return `${job} ${run}`;
    });
}
