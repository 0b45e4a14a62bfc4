import { styleText } from 'node:util';
import { changes } from '../../shared/alerts/changes.ts';
import type { RunJson } from '../../shared/api/json.ts';
import { findRun } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { stateText } from '../table.ts';
import { rowsText, spanText } from '../words.ts';

/** `lamp show`: all that is known of one run. */
export async function show(here: Here, name: string, options: { json?: boolean }): Promise<void> {
  const run = await findRun(await here.connect(), name);
  if (options.json) return printJson(run);
  const line = (label: string, text: string | null | undefined) => {
    if (text) console.log(`${styleText('dim', label.padEnd(10))} ${text}`);
  };
  console.log(`${styleText('bold', run.run)}  ${stateText(run.state)}`);
  line('why', run.reason);
  line('slot', run.slot);
  line(
    'trigger',
    run.asked ? `${run.trigger} by ${run.asked.by}${run.asked.why && `: ${run.asked.why}`}` : run.trigger,
  );
  line('repeats', run.repeats);
  line('arguments', run.args.join(' '));
  if (run.startedAt !== null) {
    const late = run.trigger === 'schedule' ? `, ${spanText(Math.max(run.lateMs ?? 0, 0))} after its slot` : '';
    line('started', run.startedAt + late);
  }
  if (run.durationMs !== null) line('took', spanText(run.durationMs));
  for (const attempt of run.attempts) {
    const reported = attempt.exitCode === null || attempt.error?.endsWith(`exit code ${attempt.exitCode}`);
    const exit = reported ? '' : ` · exit code ${attempt.exitCode}`;
    const memory = attempt.peakMemoryBytes === null ? '' : ` · ${(attempt.peakMemoryBytes / 2 ** 20).toFixed(0)} MiB`;
    const cpu = attempt.cpuMs === null ? '' : ` · ${spanText(attempt.cpuMs)} CPU`;
    const error = attempt.error === null ? '' : ` · ${attempt.error} (${attempt.errorClass})`;
    line(`attempt ${attempt.number}`, `${attempt.state}${error}${exit}${cpu}${memory}`);
    if (attempt.errorParts) line('parts', attempt.errorParts.join(', '));
    line('no retry', attempt.noRetry);
    for (const change of changesSince(run, attempt.number - 1)) line('changed', change);
  }
  line('again at', run.nextAttemptAt);
  const { cancelled } = run;
  if (cancelled) line('cancelled', `by ${cancelled.by}${cancelled.why && `: ${cancelled.why}`}`);
  for (const { path, job, run: from, sha256 } of run.inputs) {
    line('input', `${path} · from ${job}.${from} · ${sha256.slice(0, 12)}`);
  }
  for (const [metric, value] of Object.entries(run.metrics)) line('metric', `${metric} = ${JSON.stringify(value)}`);
  for (const output of run.outputs) {
    const rows = output.rows === null ? '' : `, ${rowsText(output.rows, output.partial === true)}`;
    line('output', `${output.path} · ${output.problem ?? `${output.bytes} bytes${rows}`}`);
  }
  for (const warning of run.warnings) line('warning', styleText('yellow', warning));
  if (run.versions) {
    const { bundle, commit, lock, python, secrets } = run.versions;
    line('code', `${bundle.slice(0, 12)}${commit === null ? '' : ` at ${commit.slice(0, 12)}`}`);
    line('packages', lock === null ? null : `uv.lock ${lock.slice(0, 12)}`);
    line('python', python);
    for (const [secret, version] of Object.entries(secrets)) line('secret', `${secret} version ${version}`);
  }
}

/** What is not the same for an attempt as it was for the one before: a deployment between the two, a new secret. */
function changesSince(run: RunJson, number: number): string[] {
  const [before, after] = [run.attempts[number - 1]?.versions, run.attempts[number]?.versions];
  if (!before || !after) return [];
  return changes({ ...run, versions: before }, { ...run, versions: after });
}
