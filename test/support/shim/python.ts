import { execFile, execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

let resolved: string | undefined;

/** Path of the real Python 3 interpreter: a version manager's stand-in for it takes 0.1 s longer at every start. */
export function python(): string {
  resolved ??= execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
  return resolved;
}

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
  /** What was appended to $JOB_METRICS, later lines winning. */
  metrics: Record<string, unknown>;
}

/** A fresh copy of `jobs/<name>`, removed after the test. */
export async function workDirectory(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await cp(join(import.meta.dirname, '../../../jobs', name), folder, { recursive: true });
  return folder;
}

/** Runs Python in `folder` as the shim would: only the given variables, and a metrics file that starts empty. */
export async function runPython(folder: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const metricsFile = join(folder, '.metrics');
  await rm(metricsFile, { force: true });
  const all = { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1', JOB_METRICS: metricsFile, ...env };
  const ended = await new Promise<Omit<Ended, 'metrics'>>((resolve, reject) => {
    execFile(python(), args, { cwd: folder, env: all, maxBuffer: 64 * 1024 ** 2 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
  return { ...ended, metrics: await readMetrics(metricsFile) };
}

async function readMetrics(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const metrics: Record<string, unknown> = {};
  for (const line of text.split('\n').filter(Boolean)) {
    if (line.startsWith('{')) Object.assign(metrics, JSON.parse(line));
    else metrics[line.slice(0, line.indexOf('='))] = Number(line.slice(line.indexOf('=') + 1));
  }
  return metrics;
}
