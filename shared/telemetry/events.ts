/**
 * Every event that Application Insights gets from the service, and every field of it: what is not here is not sent, and
 * no query may read it. Units are in the names of measurements. In the workspace they are rows of `AppEvents` (Name,
 * Properties, Measurements).
 *
 * At least once: an event is reported before the state that would repeat it is given up, so a host that dies may leave it to
 * another to report it again; queries count by `key`. What a host still has in memory when it is killed is lost here, never
 * in the history: the tables are the truth.
 */

interface Kind {
  about: string;
  /** The properties that distinguish one from another, however often it was reported; none: each counts. */
  key: readonly string[];
  properties: Record<string, string>;
  measurements: Record<string, string>;
  /** Measurements that jobs name themselves: what their names begin with. */
  families?: Record<string, string>;
}

/** Of the job as it is deployed now; left out when it is not any more. */
const ofJob = {
  tier: 'critical, standard or low-risk',
  status: 'development, production or decommissioned',
  department: 'Of the owner',
  owner: 'E-mail address of the owner',
};

const ofRun = {
  job: 'Name of the job',
  run: 'Id of the run, unique within the job',
  slot: 'The instant that the run is for, ISO 8601 UTC',
  trigger: 'schedule, catch-up, manual, rerun or backfill',
};

const lagMs = 'From the slot to the start; left out of reruns and backfills, whose slots are long past';

export const events = {
  LamplighterAttempt: {
    about: 'One attempt of a run, once its outcome is known; never sampled',
    key: ['job', 'run', 'attempt'],
    properties: {
      ...ofRun,
      attempt: 'Number of the attempt, from 1',
      state: 'succeeded, failed, timed-out, cancelled, lost, or abandoned: given up before anything began',
      errorClass: 'Kind of failure, which decides whether it is tried again',
      error: 'One line for people, without values of secrets',
      signal: 'Name of the signal that ended it',
      executor: 'What ran it',
      startedAt: 'ISO 8601 UTC',
      endedAt: 'ISO 8601 UTC',
      bundle: 'SHA-256 of the code of the job',
      commit: 'Commit that the code came from',
      lock: 'SHA-256 of uv.lock',
      image: 'Digest of the image',
      python: 'Version of Python that ran it',
      ...ofJob,
      note: 'What was left out of this event, and why',
    },
    measurements: {
      lagMs: `${lagMs}. Of a later attempt: from the slot to that attempt`,
      durationMs: 'From start to end, preparation of the environment included',
      cpuMs: 'Processor time, user and system',
      peakMemoryBytes: 'Most memory at any one time',
      memoryLimitBytes: 'What the job may use now',
      logBytes: 'As the job wrote it, before any cap',
      exitCode: 'Of the process',
    },
    families: {
      'metric.': 'metric.<name>, or metric.<name>.<category> for counts by category: what the job reported',
      'output.': 'output.<path>.rows: rows of a kept output',
    },
  },
  LamplighterRun: {
    about: 'One run that has reached its final state, those that never started included',
    key: ['job', 'run'],
    properties: {
      ...ofRun,
      state: 'succeeded, failed, timed-out, cancelled, lost, skipped or missed',
      reasonCode: 'Why it was skipped or missed, for machines',
      reason: 'The same in words, or why it was cancelled',
      errorClass: 'Of the last attempt',
      error: 'Of the last attempt',
      startedAt: 'Of the first attempt, ISO 8601 UTC',
      endedAt: 'ISO 8601 UTC',
      ...ofJob,
    },
    measurements: {
      slots: 'How many slots it stands for: more than 1 when a long outage is reported in one row',
      attempts: 'Attempts begun or given up; fewer LamplighterAttempt events than this: some were lost on the way',
      warnings: 'Things to look at that did not fail it',
      lagMs,
      durationMs: 'From the start of the first attempt to the end of the last',
      overdueMs: 'From the instant it had to be finished by to its end; only when that was too late',
    },
  },
  LamplighterTick: {
    about: 'Heartbeat: a tick is done',
    key: [],
    properties: { host: 'Who ticked' },
    measurements: {
      jobs: 'Jobs deployed',
      behindMs: 'For how long slots had not been claimed when it began; 0 when all goes well',
      durationMs: 'How long the tick took',
      setAside: 'Launches that failed five times, or that no one can read, and lie in launch-poison',
    },
  },
  LamplighterTrouble: {
    about: 'An outage or an oddity of the service itself',
    key: [],
    properties: {
      category: 'trouble, launch-unreadable or clock',
      doing: 'What was being done',
      error: 'First line of the error',
    },
    measurements: { offsetMs: 'By how much the clock of the host differed from that of the store' },
  },
  LamplighterDrift: {
    about: 'Metrics of a job moved away from their past, or came back; again with each metric that joins',
    key: ['job', 'finding', 'state'],
    properties: {
      job: 'Name of the job',
      tier: 'Tier of the job',
      finding: 'Id of the finding, unique within the job',
      state: 'open or recovered',
      metric: 'The one that says most',
      sentence: 'What happened, since when, why and what to do, for people',
      cause: 'The likeliest change, or that nothing changed on our side',
      since: 'The slot at which the change begins, ISO 8601 UTC',
    },
    measurements: {
      metrics: 'How many metrics moved',
      before:
        'Of the metric: the median before; like the next three left out where there is no level, as of a lost column',
      low: 'The range that nine of ten runs before lay in',
      high: 'Its upper end',
      after: 'The median since',
    },
  },
  LamplighterSecret: {
    about: 'A secret that expires within 30 days, has expired, or cannot be used; looked for once a day',
    key: [],
    properties: {
      secret: 'Name of the secret in the vault',
      jobs: 'Jobs that use it, separated by a comma and a space',
      problem: 'expiring, expired or unusable',
      expiresOn: 'ISO 8601 UTC',
      error: 'Why it cannot be used',
    },
    measurements: { days: 'Whole days left; below zero: it has expired' },
  },
  LamplighterAudit: {
    about: 'The newest entry of the audit, once a day: lamp audit verify --head takes it',
    key: ['head'],
    properties: { head: 'Day, number and digest of the entry, with points between them' },
    measurements: { entry: 'Number of the entry' },
  },
} as const satisfies Record<string, Kind>;

export type EventName = keyof typeof events;

type PropertyOf<Name extends EventName> = Name extends EventName ? keyof (typeof events)[Name]['properties'] : never;
type MeasurementOf<Name extends EventName> = Name extends EventName
  ? keyof (typeof events)[Name]['measurements']
  : never;

/** Only declared names; whatever a family admits comes beside them. */
export interface TelemetryEvent<Name extends EventName = EventName> {
  name: Name;
  properties: Partial<Record<PropertyOf<Name>, string>>;
  measurements: Partial<Record<MeasurementOf<Name>, number>> & Record<string, number>;
}

/** Whether an event may have this measurement. */
export function hasMeasurement(name: EventName, measurement: string): boolean {
  const kind: Kind = events[name];
  if (Object.hasOwn(kind.measurements, measurement)) return true;
  return Object.keys(kind.families ?? {}).some((family) => measurement.startsWith(family));
}
