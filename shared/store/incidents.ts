import type { Instant } from '../instant.ts';
import { inverted } from './inverted.ts';
import { briefly, brieflyAsked, keyText } from './property.ts';
import { type Codec, readInstant, type Table, type Versioned } from './table.ts';

/** What can be wrong; one incident is open per job, cause and subject at any one time. */
export const causes = [
  'failed',
  'timed-out',
  'lost',
  'missed',
  'late-start',
  'late-finish',
  'too-long',
  'too-short',
  'suspect',
  'metric',
  'output',
  'drift',
  'secret',
  'owner',
  'channel',
  'scheduler',
] as const;
export type Cause = (typeof causes)[number];

export const severities = ['critical', 'error', 'warning'] as const;
export type Severity = (typeof severities)[number];

/** What the newest untold step of an incident is about. */
export type Step = 'opened' | 'reminder' | 'escalated' | 'flapping' | 'resolved';

/** Something is wrong with a job, or with the service itself, from when it was seen until it is good again. */
export interface Incident {
  /** `<job>.<cause>.<instant of opening, ms>`, with a digest of the subject; stays the same when it flaps. */
  id: string;
  /** Null: the service itself. */
  job: string | null;
  cause: Cause;
  /** Distinguishes several of one cause: the name of a secret, metric, output or channel; else empty. */
  subject: string;
  severity: Severity;
  tier: 'critical' | 'standard' | 'low-risk';
  state: 'open' | 'acknowledged' | 'resolved';
  openedAt: Instant;
  /** When it became wrong this time: later than `openedAt` when it had been good in between. */
  since: Instant;
  /** When it was last seen to be wrong, and how often so far. */
  lastAt: Instant;
  count: number;
  resolvedAt: Instant | null;
  /** Of when the newest word on it is: an older run that is followed up again changes nothing. */
  evidenceAt: Instant;
  /** The first and the newest run that showed it, and the slot of the newest. */
  firstRun: string | null;
  run: string | null;
  slot: Instant | null;
  /** One line for people, redacted. */
  text: string;
  errorClass: string | null;
  /** Finer than the class, as the shim has it. */
  errorKind: string | null;
  /** Incidents with the same key have one cause and are reported in one message; null: never grouped. */
  group: string | null;
  acknowledged: { by: string; why: string; at: Instant } | null;
  /** Times it came back after it was resolved; from some number on its ups and downs are not reported one by one. */
  flaps: number;
  /** Counts what people must hear about this incident; `reported` follows when it is in the outbox. */
  step: number;
  kind: Step;
  reported: number;
  /** Key of the message that has the present step, `<step> <key>`: chosen before it is made, so that it is made once. */
  batch: string | null;
  /** Not to be reported before. */
  reportAt: Instant;
  reportedAt: Instant | null;
  reminders: number;
  /** How far it was escalated: 0 owner and channels, 1 successor, 2 fallback address. */
  level: number;
}

const openPartition = '!open';
/** Of the service itself: no job can have this name. */
const ofService = '!service';

const instants = ['openedAt', 'since', 'lastAt', 'resolvedAt', 'evidenceAt', 'slot', 'reportAt', 'reportedAt'] as const;

const rowKey = ({ job, cause, subject }: Pick<Incident, 'job' | 'cause' | 'subject'>) =>
  `${job ?? ofService}|${cause}|${keyText(subject)}`;

function codec(keys: Codec<Incident>['keys']): Codec<Incident> {
  return {
    keys,
    encode(incident) {
      const row: Record<string, unknown> = { ...incident, text: briefly(incident.text), acknowledged: null };
      for (const name of instants) row[name] = incident[name] === null ? null : new Date(incident[name]);
      if (incident.acknowledged) row.acknowledged = JSON.stringify(brieflyAsked(incident.acknowledged));
      return row;
    },
    decode(row) {
      const incident: Record<string, unknown> = {};
      for (const name of fields) incident[name] = row[name] ?? null;
      for (const name of instants) if (row[name] !== undefined) incident[name] = readInstant(row[name]);
      incident.subject ??= '';
      incident.acknowledged = JSON.parse((row.acknowledged as string | undefined) ?? 'null');
      return incident as unknown as Incident;
    },
  };
}

const fields = [
  ...['id', 'job', 'cause', 'subject', 'severity', 'tier', 'state', 'count', 'firstRun', 'run', 'text'],
  ...[
    'errorClass',
    'errorKind',
    'group',
    'flaps',
    'step',
    'kind',
    'reported',
    'batch',
    'reminders',
    'level',
    ...instants,
  ],
];

/** Open ones, and those resolved a while ago: in one partition, read as a whole by each tick. */
export const openIncidentCodec = codec((incident) => ({ partitionKey: openPartition, rowKey: rowKey(incident) }));
/** Where those of a job are that are over; null: of the service itself. */
export const pastPartition = (job: string | null) => job ?? ofService;
/** Those that are over, by job, newest first. */
export const pastIncidentCodec = codec((incident) => ({
  partitionKey: pastPartition(incident.job),
  rowKey: `${inverted(incident.openedAt)}|${incident.cause}|${keyText(incident.subject)}`,
}));

export interface Incidents {
  /** Undefined: one of this job, cause and subject exists already. */
  insert(incident: Incident): Promise<Versioned<Incident> | undefined>;
  get(of: Pick<Incident, 'job' | 'cause' | 'subject'>): Promise<Versioned<Incident> | undefined>;
  /** Undefined: another writer was first. */
  replace(incident: Incident, etag: string): Promise<Versioned<Incident> | undefined>;
  /** All that are open or were resolved a short while ago. */
  open(): AsyncIterable<Versioned<Incident>>;
  openOf(job: string | null): AsyncIterable<Versioned<Incident>>;
  /** Moves one that is over to the history; safe to do again. */
  archive(incident: Incident): Promise<void>;
  /** Those that are over, newest first. */
  past(job: string | null): AsyncIterable<Incident>;
}

export function incidents(open: Table<Incident>, past: Table<Incident>): Incidents {
  return {
    insert: open.insert,
    get: (of) => open.get(openPartition, rowKey(of)),
    replace: open.replace,
    open: () => open.list(openPartition, { page: 1_000 }),
    openOf: (job) => open.list(openPartition, { from: `${job ?? ofService}|`, to: `${job ?? ofService}}` }),
    async archive(incident) {
      await past.insert(incident);
      await open.remove(openPartition, rowKey(incident));
    },
    async *past(job) {
      for await (const { value } of past.list(job ?? ofService, { page: 50 })) yield value;
    },
  };
}
