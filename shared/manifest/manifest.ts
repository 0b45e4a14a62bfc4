import { z } from 'zod';
import { errorClasses } from '../job/error-class.ts';
import {
  backoffs,
  dataClasses,
  localExecutors,
  networks,
  overlapPolicies,
  sensitivities,
  statuses,
  tiers,
} from '../job/job.ts';
import { parseLocalTime } from '../schedule/local-time.ts';
import {
  category,
  channel,
  duration,
  email,
  environmentName,
  input,
  mapping,
  metricName,
  oneOf,
  outputFile,
  secretName,
  size,
  text,
  whole,
  word,
  words,
} from './field.ts';
import { namePattern } from './name.ts';
import { schedule, scheduleExpected } from './schedule.ts';

/*
 * Every field of job.yaml, in one place: the parser, the editor's JSON Schema and the suggestions come from here.
 * The error text of a field is its *expectation*.
 */

const windowExpected = 'a day such as 2026-12-24, or a time such as 2026-12-24T18:00';
const commandExpected = 'a list of words such as [python, score.py]';
const command = z
  .array(word(commandExpected), commandExpected)
  .min(1, commandExpected)
  .max(64, 'a list of at most 64 words');

const calendarName = text('the name of a calendar such as uk-bank-holidays', namePattern);
const windowTime = z.string(windowExpected).superRefine((value, context) => {
  const time = parseLocalTime(value);
  if (time && time.kind !== 'instant') return;
  const hint = time ? 'leave the offset out: it is read on the clock of the schedule' : 'write it with four-digit year';
  const says = time ? 'has an offset' : 'is no day and no time';
  context.addIssue({ code: 'custom', message: windowExpected, params: { code: 'window', says, hint } });
});

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
    tier: oneOf(tiers).describe('How much harm it does when the job fails.'),
    data: oneOf(dataClasses).describe('The most sensitive data the job touches.'),
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
    status: oneOf(statuses)
      .default('production')
      .describe('Whether the job counts: alerts and gates are for production.'),
    external: z
      .boolean('true or false')
      .default(false)
      .describe('The job runs elsewhere and reports its runs by pings; nothing is launched here.'),
    schedule: z
      .union(
        [schedule, z.array(schedule, scheduleExpected).min(1, 'one schedule at least').max(10, 'at most 10 schedules')],
        scheduleExpected,
      )
      .optional()
      .describe('When the job runs: one schedule or a list of up to 10. Left out: only by hand.'),
    calendar: z
      .union(
        [calendarName, z.array(calendarName).min(1, 'one calendar at least').max(5, 'at most 5 calendars')],
        'the name of a calendar such as uk-bank-holidays, or a list of them',
      )
      .optional()
      .describe('Calendars of _calendars/ in the jobs folder: slots on their days are skipped, and no one is alerted.'),
    blackout: z
      .array(
        z.strictObject(
          {
            from: windowTime.describe("First day or time, on the schedule's clock."),
            to: windowTime.describe('Last day or time, included.'),
            why: words('the reason as a text, such as Year-end freeze', 200).describe('Shown with each skipped slot.'),
          },
          mapping('{ from: 2026-12-24, to: 2027-01-01, why: Year-end freeze }'),
        ),
        'a list such as [{ from: 2026-12-24, to: 2027-01-01, why: Year-end freeze }]',
      )
      .max(50, 'at most 50 windows')
      .default([])
      .describe('Windows in which slots are skipped, and no one is alerted.'),
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
          overlap: oneOf(overlapPolicies)
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
          network: oneOf(networks)
            .default('bridge')
            .describe("In a container: no network, a network of its own behind the host's address, or the host's own."),
          executor: oneOf(localExecutors)
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
      .record(environmentName, secretName, mapping('{ CRM_API_KEY: crm-api-key }'))
      .default({})
      .describe('Environment variable: name of the Key Vault secret that fills it.'),
    retry: z
      .strictObject(
        {
          attempts: whole(1, 10).default(1).describe('Attempts in all, the first included.'),
          backoff: oneOf(backoffs).default('exponential').describe('Whether the pause grows from attempt to attempt.'),
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
            values: z
              .array(category, 'a list such as [high, low]')
              .min(1, 'at least 1 category')
              .max(100, 'at most 100 categories')
              .optional()
              .describe('Of counts by category: alert on any other category.'),
            required: z.boolean('true or false').optional().describe('Whether a run without it is a problem.'),
            drift: oneOf(sensitivities).default('normal').describe('How readily an unusual value is flagged.'),
            direction: oneOf(['up', 'down', 'both'])
              .default('both')
              .describe('Which changes count as drift: both, or only up or down.'),
          },
          mapping('{ min: 1 }'),
        ),
        mapping('{ rows_scored: { min: 1 } }'),
      )
      .default({})
      .describe('Limits and sensitivity by metric name.'),
    replay: z
      .strictObject(
        {
          command: command.describe('What runs on the examples in golden/; it must have no side effects.'),
          timeout: duration('1s', '1d').default('10m').describe('Of one example.'),
          secrets: z
            .array(z.string(), 'a list of variables such as [OPENAI_API_KEY]')
            .max(20, 'at most 20 variables')
            .default([])
            .describe('Variables under secrets: that replays get too; none unless named.'),
          network: z
            .enum(['none', 'bridge'])
            .optional()
            .describe('Of the container of a replay; none, unless packages must be fetched.'),
          share: z
            .number('a share such as 0.05')
            .min(0)
            .max(1)
            .default(0.05)
            .describe(
              'What replays may cost, of the container time of the job itself; 0: only on a change or a finding.',
            ),
        },
        mapping('{ command: [python, score.py, --replay] }'),
      )
      .optional()
      .describe('How the job answers frozen examples, to report a change of it from a change of its data.'),
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
          receipts: oneOf(['never', 'each', 'weekly'])
            .default('never')
            .describe('Whether good runs are reported as well: a line for each, or a digest a week.'),
        },
        mapping('{ teams: sales-ops, email: [sales-ops@contoso.com] }'),
      )
      .prefault({})
      .describe('Who gets a message when the job fails, is late or drifts.'),
  },
  'a mapping such as the example in docs/manifest.md',
);
export type Manifest = z.output<typeof manifest>;

/** JSON Schema of job.yaml for editors (draft 7, the one that YAML language servers know). */
export function manifestSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(manifest, { io: 'input', target: 'draft-7' });
  const required = schema.required?.filter((field) => field !== 'run') ?? [];
  // Only what runs elsewhere does without a command.
  const { required: command, ...run } = schema.properties?.run as { required?: string[] };
  const here = { required: ['run'], properties: { run: { required: command } } };
  const elsewhere = { required: ['external'], properties: { external: { const: true } } };
  const properties = { ...schema.properties, run };
  return { title: 'Lamplighter job', ...schema, properties, required, if: elsewhere, else: here };
}
