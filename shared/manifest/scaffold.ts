import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jobNames } from './check.ts';
import { shown } from './literal.ts';
import { nameFault, skeleton } from './name.ts';
import { type Problem, problemText } from './problem.ts';
import { readManifest } from './reading.ts';
import { isStdlib } from './stdlib.ts';

export interface ScaffoldOptions {
  /** E-mail address of the owner. */
  owner?: string;
  description?: string;
  /** IANA zone of the schedule; UTC unless said. */
  timeZone?: string;
}

/** Nothing was written. `message` has the value and the expectation, `hint` says what to do. */
export class ScaffoldError extends Error {
  override readonly name = 'ScaffoldError';
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/**
 * Starts a job that runs and passes `lamp check`: manifest, script, README. The folder of jobs is made when it is not
 * there; nothing that exists is touched.
 *
 * @returns the files written, below `jobsFolder` as it was given.
 * @throws ScaffoldError for a name that is taken, unsafe or too like another, and for options a manifest refuses.
 */
export async function scaffold(jobsFolder: string, name: string, options: ScaffoldOptions = {}): Promise<string[]> {
  const fault = nameFault(name);
  if (fault) throw new ScaffoldError(fault.code, fault.message, fault.hint);
  const folder = join(jobsFolder, name);
  const script = scriptName(name);
  const files = {
    'job.yaml': manifestText(script, options),
    [script]: scriptText(name),
    'README.md': readmeText(name, script),
  };

  const { problems } = readManifest(Buffer.from(files['job.yaml']), `${folder}/job.yaml`);
  if (problems.length > 0) throw refusal(problems);
  await mkdir(jobsFolder, { recursive: true });
  const twin = (await jobNames(jobsFolder)).find((other) => other !== name && skeleton(other) === skeleton(name));
  if (twin) {
    const message = `${shown(name)} looks like the job ${shown(twin)}; expected a name that no one confuses with it`;
    throw new ScaffoldError('look-alike-names', message, 'choose another name');
  }
  try {
    await mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new ScaffoldError(
      'exists',
      `${folder} exists already; expected a new name`,
      'choose another name, or change that job',
    );
  }
  const written: string[] = [];
  for (const [file, text] of Object.entries(files)) {
    await writeFile(join(folder, file), text, { flag: 'wx' });
    written.push(join(folder, file));
  }
  return written;
}

/** A script called `email.py` would take the place of Python's own module, which half of the library needs. */
function scriptName(job: string): string {
  const module = job.replaceAll('-', '_');
  return `${isStdlib(module) ? `${module}_job` : module}.py`;
}

/** The options are the only part of the new manifest that can be wrong. */
function refusal(problems: readonly Problem[]): ScaffoldError {
  const [first] = problems;
  const message = problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new ScaffoldError(first?.code ?? 'refused', message, first?.hint ?? problems.map(problemText).join('\n'));
}

/** JSON's texts are YAML's double-quoted texts, so nothing that a person passes can become structure. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function manifestText(script: string, options: ScaffoldOptions): string {
  const owner = options.owner ?? 'you@example.com';
  return `# yaml-language-server: $schema=../../infra/job.schema.json
description: ${quoted(options.description ?? 'Says in one sentence what this job does, for people.')}
owner: { email: ${quoted(owner)}, department: To be named }
tier: standard              # critical | standard | low-risk
data: internal              # public | internal | confidential | regulated
status: development         # production, once it is reviewed
schedule: { cron: "0 7 * * 1-5", timeZone: ${quoted(options.timeZone ?? 'UTC')} }
run: { command: [python, ${script}], timeout: 15m }
retry: { attempts: 3, delay: 30s }
outputs: [result.csv]
metrics:
  rows: { min: 1 }
`;
}

function scriptText(name: string): string {
  return `"""${name}: replace this with what the job does."""

import os


def main() -> None:
    day = os.environ.get("JOB_SCHEDULED_FOR", "by hand")
    rows = [("first", 1), ("second", 2)]

    # Declared under outputs in job.yaml, so it is kept with the run.
    with open("result.csv", "w", encoding="utf-8") as out:
        out.write("name,value\\n")
        for label, value in rows:
            out.write(f"{label},{value}\\n")

    # A number worth watching: the runner compares it with earlier runs.
    metrics = os.environ.get("JOB_METRICS")
    if metrics:
        with open(metrics, "a", encoding="utf-8") as file:
            file.write(f"rows={len(rows)}\\n")

    print(f"Wrote {len(rows)} rows for {day}.")


if __name__ == "__main__":
    main()
`;
}

function readmeText(name: string, script: string): string {
  return `# ${name}

**What** it does, in one sentence.

**Why** it is needed, and who notices when it does not run.

**By hand**: \`python ${script}\` in this folder.

**Reads** nothing yet. **Writes** \`result.csv\`.

**Metric** \`rows\`: rows written; fewer than 1 raises an alert.

**When it fails**: what to look at first, and whom to ask.
`;
}
