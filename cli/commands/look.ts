import { styleText } from 'node:util';
import { type Instant, iso, minute } from '../../shared/instant.ts';
import type { Job } from '../../shared/job.ts';
import { type Run, type RunState, runName, runStates } from '../../shared/run.ts';
import { localText, nextSlots } from '../../shared/schedule/schedule.ts';
import type { JobRow } from '../../shared/store/jobs.ts';
import type { Home } from '../home.ts';
import { printJson, runJson } from '../json.ts';
import { findRun, jobNames, knownJob, openParts, Refusal } from '../session.ts';
import { printTable, spanText, stateText } from '../table.ts';

/** `lamp jobs`: what runs here, with whom, how it went last and when it runs next. */
export async function jobs(home: Home, options: { json?: boolean }): Promise<void> {
  const parts = await openParts(home);
  const rows = new Map<string, JobRow>();
  for await (const { value } of parts.store.jobs.all()) rows.set(value.name, value);
  const now = Date.now();
  const all = (await jobNames(parts)).map((name) => {
    const job = parts.catalog().get(name)?.job;
    return { name, job, row: rows.get(name), next: job && nextOf(job, now) };
  });
  if (options.json) {
    printJson(
      all.map(({ name, job, row, next }) => ({
        job: name,
        description: job?.description ?? null,
        owner: job?.owner ?? null,
        tier: job?.tier ?? null,
        status: job ? job.status : 'removed',
        schedules: job?.schedules.map(({ schedule }) => ({ cron: schedule.cron, timeZone: schedule.timeZone })) ?? [],
        next: next === undefined ? null : iso(next),
        paused: row?.paused ? { ...row.paused, at: iso(row.paused.at) } : null,
        running: row?.running.map(({ run }) => `${name}.${run}`) ?? [],
        last: row?.last
          ? {
              ...row.last,
              id: undefined,
              run: `${name}.${row.last.id}`,
              slot: iso(row.last.slot),
              endedAt: iso(row.last.endedAt),
            }
          : null,
        streak: row?.streak ?? 0,
      })),
    );
    return;
  }
  const cells = all.map(({ name, job, row, next }) => [
    name,
    lastText(row, now),
    row?.paused ? styleText('yellow', `paused by ${row.paused.by}`) : nextText(job, next, now),
    job?.owner.email ?? styleText('dim', 'folder removed'),
    job?.description ?? '',
  ]);
  printTable(['JOB', 'LAST', 'NEXT', 'OWNER', 'WHAT'], cells);
}

function nextOf(job: Job, now: Instant): Instant | undefined {
  const next = job.schedules.flatMap(({ schedule }) => nextSlots(schedule, now, 1));
  return next.length > 0 ? Math.min(...next) : undefined;
}

function nextText(job: Job | undefined, next: Instant | undefined, now: Instant): string {
  if (!job) return '';
  if (next === undefined) return styleText('dim', 'by hand');
  const zone = job.schedules[0]?.schedule.timeZone ?? 'UTC';
  return `${localText(zone, next).slice(0, 16).replace('T', ' ')} ${styleText('dim', `in ${spanText(next - now)}`)}`;
}

function lastText(row: JobRow | undefined, now: Instant): string {
  if (row && row.running.length > 0) return stateText('running');
  if (!row?.last) return styleText('dim', 'never');
  return `${stateText(row.last.state)} ${styleText('dim', `${spanText(now - row.last.endedAt)} ago`)}`;
}

/** `lamp runs`: the history, newest first. */
export async function runs(
  home: Home,
  name: string | undefined,
  options: { state?: string; since?: string; limit: number; json?: boolean },
): Promise<void> {
  const wanted = readStates(options.state);
  const since = options.since === undefined ? undefined : readSince(options.since);
  const parts = await openParts(home);
  const names = name === undefined ? await jobNames(parts) : [await knownJob(parts, name)];
  const found: Run[] = [];
  for (const job of names) {
    let count = 0;
    for await (const { value } of parts.store.runs.list(job, since === undefined ? {} : { from: since })) {
      if (wanted && !wanted.has(value.state)) continue;
      found.push(value);
      if (++count === options.limit) break;
    }
  }
  const listed = found.sort((a, b) => b.slot - a.slot).slice(0, options.limit);
  if (options.json) {
    printJson(listed.map(runJson));
    return;
  }
  if (listed.length === 0) console.log('No runs yet.');
  else printTable(['RUN', 'STATE', 'TRIGGER', 'TOOK', 'WHAT HAPPENED'], listed.map(runCells));
}

function runCells(run: Run): string[] {
  const took = run.startedAt !== null && run.endedAt !== null ? spanText(run.endedAt - run.startedAt) : '';
  return [runName(run), stateText(run.state), run.trigger, took, summary(run)];
}

function summary(run: Run): string {
  const numbers = Object.entries(run.metrics).filter((metric): metric is [string, number] => {
    return typeof metric[1] === 'number';
  });
  const metrics = numbers.slice(0, 3).map(([name, value]) => `${name}=${Number(value.toPrecision(6))}`);
  const error = run.state === 'succeeded' ? undefined : (run.attempts.at(-1)?.error ?? undefined);
  const said = [error ?? run.reason ?? '', ...metrics, ...run.warnings.slice(0, 1)].filter((text) => text !== '');
  return said.join(' · ');
}

function readStates(text: string | undefined): Set<RunState> | undefined {
  if (text === undefined) return undefined;
  const states = text.split(',').map((state) => state.trim());
  const wrong = states.find((state) => !(runStates as readonly string[]).includes(state));
  if (wrong !== undefined) throw new Refusal(`"${wrong}" is no state of a run; there are: ${runStates.join(', ')}`);
  return new Set(states as RunState[]);
}

/** `2026-11-20`, `2026-11-20T07:00Z`, or an age such as `2h` or `7d`. */
export function readSince(text: string): Instant {
  const age = /^(\d{1,5})([mhd])$/.exec(text);
  if (age) {
    const unit = { m: minute, h: 60 * minute, d: 24 * 60 * minute }[age[2] as 'm' | 'h' | 'd'];
    return Date.now() - Number(age[1]) * unit;
  }
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new Refusal(`"${text}" is no time: write 2026-11-20, 2026-11-20T07:00Z, or an age like 2h or 7d`);
  return at;
}

/** `lamp show`: all that is known of one run. */
export async function show(home: Home, name: string, options: { json?: boolean }): Promise<void> {
  const parts = await openParts(home);
  const run = await findRun(parts, name);
  if (options.json) {
    printJson(runJson(run));
    return;
  }
  const line = (label: string, text: string | null | undefined) => {
    if (text) console.log(`${styleText('dim', label.padEnd(10))} ${text}`);
  };
  console.log(`${styleText('bold', runName(run))}  ${stateText(run.state)}`);
  line('why', run.reason);
  line('slot', iso(run.slot));
  line(
    'trigger',
    run.asked ? `${run.trigger} by ${run.asked.by}${run.asked.why && `: ${run.asked.why}`}` : run.trigger,
  );
  line('repeats', run.repeats && `${run.job}.${run.repeats}`);
  line('arguments', run.args.join(' '));
  if (run.startedAt !== null) {
    const late =
      run.trigger === 'schedule' ? `, ${spanText(Math.max(run.startedAt - run.slot, 0))} after its slot` : '';
    line('started', iso(run.startedAt) + late);
  }
  if (run.startedAt !== null && run.endedAt !== null) line('took', spanText(run.endedAt - run.startedAt));
  for (const attempt of run.attempts) {
    const exit = attempt.exitCode === null ? '' : ` · exit code ${attempt.exitCode}`;
    const memory = attempt.peakMemoryBytes === null ? '' : ` · ${(attempt.peakMemoryBytes / 2 ** 20).toFixed(0)} MiB`;
    const cpu = attempt.cpuMs === null ? '' : ` · ${spanText(attempt.cpuMs)} CPU`;
    const error = attempt.error === null ? '' : ` · ${attempt.error} (${attempt.errorClass})`;
    line(`attempt ${attempt.number}`, `${attempt.state}${error}${exit}${cpu}${memory}`);
  }
  if (run.nextAttemptAt !== null) line('again at', iso(run.nextAttemptAt));
  if (run.cancel) line('cancelled', `by ${run.cancel.by}${run.cancel.why && `: ${run.cancel.why}`}`);
  for (const [metric, value] of Object.entries(run.metrics)) line('metric', `${metric} = ${JSON.stringify(value)}`);
  for (const output of run.outputs) {
    const rows = output.rows === null ? '' : `, ${output.rows} rows`;
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
