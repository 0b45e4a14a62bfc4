import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from '../../shared/job/job.ts';

/** An output that is larger than this is no example. */
const mostBytes = 5_000_000;

/** What one replay of one example left, by file name; or why it failed. */
export type Left = { files: Map<string, string> } | { problem: string };

/** The names of the examples below golden/, in order. */
export async function exampleNames(job: Job): Promise<string[]> {
  const entries = await readdir(join(job.folder, 'golden'), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/**
 * Runs the replay command on one example, in a copy of the job's folder with the files of golden/<example>/input laid
 * over it. No secret and nothing of the caller's environment but PATH gets in; JOB_REPLAY=1 asks the job for no side effects.
 */
export async function replayExample(job: Job, example: string): Promise<Left> {
  const work = await mkdtemp(join(tmpdir(), 'lamp-replay-'));
  try {
    await cp(job.folder, work, { recursive: true, filter: (source) => source !== join(job.folder, 'golden') });
    await cp(join(job.folder, 'golden', example, 'input'), work, { recursive: true });
    // What lies in the folder already is no answer of this run.
    await Promise.all(job.outputs.map((path) => rm(join(work, path), { force: true })));
    const problem = await run(job, work);
    return problem === undefined ? { files: await outputsIn(job, work) } : { problem };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The outputs that were accepted for an example. */
export async function acceptedOf(job: Job, example: string): Promise<Map<string, string>> {
  return outputsIn(job, join(job.folder, 'golden', example, 'accepted'));
}

async function outputsIn(job: Job, folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const path of job.outputs) {
    const content = await readFile(join(folder, path)).catch(() => undefined);
    if (content && content.length <= mostBytes) files.set(path, content.toString('utf8'));
  }
  return files;
}

/** @returns why it failed; undefined: it did not */
function run(job: Job, work: string): Promise<string | undefined> {
  const replay = job.replay ?? { command: job.command, timeoutMs: job.timeoutMs };
  const [program = '', ...args] = job.locked ? ['uv', 'run', '--locked', '--', ...replay.command] : replay.command;
  const env = { ...job.env, PATH: process.env.PATH ?? '', HOME: work, JOB_NAME: job.name, JOB_REPLAY: '1' };
  return new Promise((resolve) => {
    // A group of its own, so that what it started ends with it.
    const child = spawn(program === 'python' ? 'python3' : program, args, {
      cwd: work,
      env: { ...env, JOB_METRICS: join(work, '.metrics'), PYTHONHASHSEED: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-2_000);
    });
    let late = false;
    const end = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // All of its group is over.
      }
    };
    // What it started in a session of its own may hold its stderr open for ever.
    child.once('exit', () => setTimeout(() => child.stderr.destroy(), 500).unref());
    const timer = setTimeout(() => {
      late = true;
      end();
    }, replay.timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve(`cannot start ${program}: ${error.message}`);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (late) resolve(`not over after ${replay.timeoutMs / 1_000} s`);
      else if (code === 0) resolve(undefined);
      else resolve(`exit ${code ?? signal}: ${errors.trim().split('\n').at(-1) ?? ''}`);
    });
  });
}
