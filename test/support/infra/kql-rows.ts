import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TelemetryEvent } from '../../../shared/telemetry/events.ts';
import { python } from '../shim/python.ts';
import { tables } from './kusto.ts';

/** Translates KQL to SQL of DuckDB: not Kusto, but written by others from the same documentation. */
const packages = ['duckdb-kql==1.1.2', 'duckdb==2.0.0'];
const root = join(import.meta.dirname, '../../..');
const home = join(root, 'node_modules/.cache/lamplighter-kql', packages.join('+'));
const interpreter = join(home, 'bin/python');

/** Makes it ready, once a checkout. @returns why that is not possible here; undefined: it is ready */
export function prepare(): string | undefined {
  if (existsSync(interpreter)) return undefined;
  const half = `${home}.${process.pid}`;
  try {
    mkdirSync(dirname(home), { recursive: true });
    execFileSync(python(), ['-m', 'venv', half], { stdio: 'pipe' });
    execFileSync(join(half, 'bin/python'), ['-m', 'pip', 'install', '--quiet', ...packages], { stdio: 'pipe' });
    // Whole or not at all: a test run that is stopped must not leave a half of it.
    renameSync(half, home);
    return undefined;
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    if (existsSync(interpreter)) return undefined;
    return `pip install ${packages.join(' ')} failed: ${(error as Error).message.split('\n')[0]}`;
  }
}

export type Row = Record<string, unknown>;
export type Answer = { rows: Row[] } | { unsupported: string };

/** A row of `AppEvents` as the workspace would have it. */
export function eventRow({ name, properties, measurements }: TelemetryEvent, at: number): Row {
  return { TimeGenerated: new Date(at).toISOString(), Name: name, Properties: properties, Measurements: measurements };
}

/** Runs queries over rows. Columns that a row does not have are null. */
export function runQueries(rows: Record<string, Row[]>, queries: Record<string, string>): Record<string, Answer> {
  const columns = Object.entries(tables).map(([table, schema]) => {
    const pairs = schema.slice(1, -1).split(', ');
    return [table, Object.fromEntries(pairs.map((pair) => pair.split(': ')))];
  });
  const whole = Object.entries(rows).map(([table, some]) => {
    return [table, some.map((row) => ({ Properties: {}, Measurements: {}, Details: null, ItemCount: 1, ...row }))];
  });
  const input = JSON.stringify({ tables: Object.fromEntries(columns), rows: Object.fromEntries(whole), queries });
  const script = join(import.meta.dirname, 'run_kql.py');
  const output = execFileSync(interpreter, [script], { input, encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 });
  return JSON.parse(output) as Record<string, Answer>;
}
