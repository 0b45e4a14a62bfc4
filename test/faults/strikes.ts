import { readFile } from 'node:fs/promises';
import { second } from '../../shared/instant.ts';
import { readMarks } from './marks.ts';
import { between, pick } from './random.ts';
import type { World } from './world.ts';

/** Kills a job that runs right now, or the shim above it. */
export async function strike({ marks, killed, deaths, random }: World, whom: 'job' | 'shim'): Promise<void> {
  const { unended } = await readMarks(marks, 400);
  for (const { attempt, pid } of unended.sort(() => random() - 0.5)) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!command.includes('main.py')) continue;
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (whom === 'shim') killed.add(attempt);
    process.kill(whom === 'shim' ? parent : Number(pid), 'SIGKILL');
    deaths.set(attempt, Date.now());
    return;
  }
}

/** Kills a container that runs right now from outside, or the job in it. */
export async function strikeBox({ boxes, killed, random }: World, whom: 'box' | 'job'): Promise<void> {
  const running = (await boxes?.running()) ?? [];
  if (running.length === 0) return;
  const { mark, box } = pick(random, running);
  if (whom === 'box') {
    killed.add(mark);
    await box.kill({ signal: 'SIGKILL' });
    return;
  }
  const { Titles, Processes } = (await box.top()) as { Titles: string[]; Processes: string[][] };
  const job = Processes.find((one) => one[Titles.indexOf('CMD')]?.includes('main.py'));
  if (job) process.kill(Number(job[Titles.indexOf('PID')]), 'SIGKILL');
}

let restarting = false;

/** Containers do not outlive their daemon: what they were about to deliver may be lost. */
export async function restartDocker({ boxes, killed, marks, random, pace }: World, awayMs: number): Promise<void> {
  if (!boxes || restarting) return;
  restarting = true;
  try {
    await noteRunning(marks, killed);
    const back = boxes.restart(pick(random, ['SIGKILL', 'SIGTERM']), between(random, 200, awayMs) * pace);
    await new Promise((resolve) => setTimeout(resolve, 0.1 * second));
    await noteRunning(marks, killed);
    await back;
    await noteRunning(marks, killed);
  } finally {
    restarting = false;
  }
}

async function noteRunning(marks: string, killed: Set<string>): Promise<void> {
  const lines = (await readFile(marks, 'utf8').catch(() => '')).trim().split('\n').slice(-40);
  for (const line of lines) killed.add(line.split(' ').slice(1, 3).join(' '));
}
