import { z } from 'zod';
import { errorClasses } from '../run/attempt.ts';
import {
  channel,
  duration,
  email,
  environmentName,
  input,
  mapping,
  metricName,
  oneOf,
  outputFile,
  size,
  text,
  whole,
  words,
} from './field.ts';

/*
 * Every field of job.yaml, in one place: the parser, the editor's JSON Schema and the suggestions come from here.
 * The error text of a field is its *expectation*.
 */

const scheduleExpected = 'a mapping such as { cron: "0 7 * * 1-5", timeZone: Europe/London }';
const schedule = z.strictObject(
  {
    cron: z
      .string('five fields such as "0 7 * * 1-5", or a macro such as "@daily"')
      .describe(
        'When the job is expected: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly.',
      ),
    timeZone: z
      .string('an IANA time zone such as Europe/London')
      .default('UTC')
      .describe('IANA time zone of the schedule.'),
    catchUp: oneOf(['latest', 'all', 'none'])
      .default('latest')
      .describe('What to run after an outage or a pause: only the latest missed slot, all of them, or none.'),
    catchUpLimit: z
      .int('a whole number from 1 to 1000')
      .min(1, 'a whole number from 1 to 1000')
      .max(1000, 'a whole number from 1 to 1000')
      .default(100)
      .describe('With catchUp: all, at most this many slots.'),
    mustStartWithin: duration('1s', '1d')
      .optional()
      .describe('Alert when a run has not begun this long after its slot.'),
    mustFinishBy: text('a local time from "00:00" to "23:59"', /^([01]\d|2[0-3]):[0-5]\d$/)
      .optional()
      .describe('Alert when the run has not succeeded by this local time.'),
  },
  scheduleExpected,
);

const command = z
  .array(
    z
      .string('a list of words such as [python, score.py]')
      .min(1, 'a list of words, none of them empty')
      .max(4096, 'words of at most 4096 characters'),
    'a list of words such as [python, score.py]',
  )
  .min(1, 'a list of words such as [python, score.py]')
  .max(64, 'a list of at most 64 words');

const sentence = 'one line of 10 to 200 characters';
const notRetried: readonly string[] = ['syntax', 'module', 'configuration', 'authorization'];
/** Trying again cannot help where a person must change something first. */
export const retriedByDefault = errorClasses.filter((name) => !notRetried.includes(name));

export const manifest = z.strictObject(
  {
    description: z
      .string(sentence)
      .min(10, sentence)
      .max(200, sentence)
      .regex(/^\S([^\r\n]*\S)?$/, sentence)
      .describe('What the job does, in one sentence for people.'),
    owner: z
      .strictObject(
        {
          email: email.describe('Who answers for the job.'),
          department: words('a department such as Sales', 100).describe('Department of the owner.'),
          successor: email.optional().describe('Who takes over when the owner leaves.'),
        },
        mapping('{ email: dana@contoso.com, department: Sales }'),
      )
      .describe('Who answers for the job.'),
    tier: oneOf(['critical', 'standard', 'low-risk']).describe('How much harm it does when the job fails.'),
    data: oneOf(['public', 'internal', 'confidential', 'regulated']).describe(
      'The most sensitive data the job touches.',
    ),
    builtWith: z
      .strictObject(
        {
          tool: words('the name of a tool such as Claude Code', 100).describe('The AI tool that wrote the script.'),
          version: words('the version as a text, such as "2.1"', 50).describe('Its version.'),
        },
        mapping('{ tool: Claude Code, version: "2.1" }'),
      )
      .optional()
      .describe('The AI tool that the script was written with.'),
    status: oneOf(['development', 'production', 'decommissioned'])
      .default('production')
      .describe('Whether the job counts: alerts and gates are for production.'),
    schedule: z
      .union(
        [schedule, z.array(schedule, scheduleExpected).min(1, 'one schedule at least').max(10, 'at most 10 schedules')],
        scheduleExpected,
      )
      .optional()
      .describe('When the job runs: one schedule or a list of up to 10. Left out: only by hand.'),
    run: z
      .strictObject(
        {
          command: command.describe(
            'Program and arguments. `python` is the interpreter that was prepared for the job.',
          ),
          timeout: duration('1s', '24h').default('1h').describe('The run is ended after this time.'),
          grace: duration('0s', '10m').default('10s').describe('Time between the request to stop and the kill.'),
          mustRunAtLeast: duration('1s', '24h')
            .optional()
            .describe('Alert when a run ends sooner than this: it probably did nothing.'),
          overlap: oneOf(['forbid', 'queue', 'replace', 'allow'])
            .default('forbid')
            .describe('When a slot comes while a run is still going: skip it, wait, stop the old run, or run both.'),
          concurrency: whole(1, 100)
            .optional()
            .describe('Runs of this job at once under `overlap: allow` and in a backfill. Default 1; 10 with `allow`.'),
          cpu: z
            .number('a number from 0.25 to 4')
            .min(0.25, 'a number from 0.25 to 4')
            .max(4, 'a number from 0.25 to 4')
            .multipleOf(0.25, 'a multiple of 0.25 from 0.25 to 4')
            .default(0.5)
            .describe('Processor cores.'),
          memory: size('128Mi', '8Gi', '512Mi or 1Gi')
            .default('1Gi')
            .describe('Memory limit; beyond it the run is killed.'),
          scratch: size('1Mi', '8Gi', '512Mi')
            .optional()
            .describe(
              'In a container: room for files of the run, part of its memory. Default 512Mi, at most half of the memory.',
            ),
          pids: whole(16, 32_768).default(256).describe('In a container: most processes and threads at once.'),
          network: oneOf(['none', 'bridge', 'host'])
            .default('bridge')
            .describe("In a container: no network, a network of its own behind the host's address, or the host's own."),
          executor: oneOf(['process', 'docker'])
            .optional()
            .describe('Run as a plain process or in a container. Left out: as the host was started.'),
          python: text('a version in quotes such as "3.12"', /^3\.\d{1,2}$/)
            .optional()
            .describe('Python version, in quotes. Left out: that of the image.'),
          logLimit: size('1MB', '1GB', '100MB')
            .default('100MB')
            .describe('Beyond this the middle of the log is left out, and said so.'),
        },
        mapping('{ command: [python, score.py] }'),
      )
      .describe('What is run, and its limits.'),
    env: z
      .record(
        environmentName,
        z.union([z.string(), z.number(), z.boolean()], 'a text, a number or true/false'),
        mapping('{ CRM_URL: https://crm.contoso.com }'),
      )
      .default({})
      .describe('Plain environment variables. Nothing secret.'),
    secrets: z
      .record(
        environmentName,
        text('the name of a Key Vault secret such as crm-api-key', /^[0-9a-zA-Z-]{1,127}$/),
        mapping('{ CRM_API_KEY: crm-api-key }'),
      )
      .default({})
      .describe('Environment variable: name of the Key Vault secret that fills it.'),
    retry: z
      .strictObject(
        {
          attempts: whole(1, 10).default(1).describe('Attempts in all, the first included.'),
          backoff: oneOf(['constant', 'exponential'])
            .default('exponential')
            .describe('Whether the pause grows from attempt to attempt.'),
          delay: duration('1s', '1d').default('30s').describe('Pause before the second attempt.'),
          maxDelay: duration('1s', '1d').default('10m').describe('The pause never grows beyond this.'),
          on: z
            .array(oneOf(errorClasses), 'a list such as [network, throttled]')
            .min(1, 'one error class at least')
            .default(() => [...retriedByDefault])
            .describe('Error classes after which another attempt is made.'),
        },
        mapping('{ attempts: 3, delay: 30s }'),
      )
      .prefault({})
      .describe('Whether and when a failed attempt is repeated.'),
    inputs: z
      .array(input, 'a list such as [pull-prospects/prospects.csv]')
      .max(20, 'at most 20 files')
      .default([])
      .describe('Outputs of other jobs, placed in the work directory under their base name.'),
    outputs: z
      .array(outputFile, 'a list such as [outbound.csv]')
      .max(20, 'at most 20 files')
      .default([])
      .describe('Files that are kept of each run, and profiled.'),
    metrics: z
      .record(
        metricName,
        z.strictObject(
          {
            min: z.number('a number').optional().describe('Alert below this.'),
            max: z.number('a number').optional().describe('Alert above this.'),
            drift: oneOf(['off', 'low', 'normal', 'high'])
              .default('normal')
              .describe('How readily an unusual value is flagged.'),
          },
          mapping('{ min: 1 }'),
        ),
        mapping('{ rows_scored: { min: 1 } }'),
      )
      .default({})
      .describe('Limits and sensitivity by metric name.'),
    alerts: z
      .strictObject(
        {
          teams: channel.optional().describe('Name of a Teams channel that the service knows.'),
          slack: channel.optional().describe('Name of a Slack channel that the service knows.'),
          email: z
            .array(email, 'a list such as [sales-ops@contoso.com]')
            .max(20, 'at most 20 addresses')
            .default([])
            .describe('Addresses.'),
        },
        mapping('{ teams: sales-ops, email: [sales-ops@contoso.com] }'),
      )
      .prefault({})
      .describe('Who is told when the job fails, is late or drifts.'),
  },
  'a mapping such as the example in docs/manifest.md',
);
export type Manifest = z.output<typeof manifest>;

/** JSON Schema of job.yaml for editors (draft 7, the one that YAML language servers know). */
export function manifestSchema(): Record<string, unknown> {
  return { title: 'Lamplighter job', ...z.toJSONSchema(manifest, { io: 'input', target: 'draft-7' }) };
}
