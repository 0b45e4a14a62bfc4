import { type Instant, iso, minute } from '../instant.ts';
import type { Job } from '../job/job.ts';
import { type Run, runName } from '../run/run.ts';
import { localText } from '../schedule/schedule.ts';
import { type Incident, severities } from '../store/incidents.ts';
import { said, stateWord } from './cause.ts';
import { lastLines, line } from './clean.ts';
import { spanText } from './clocks.ts';
import { isFlapping } from './incident.ts';
import type { Link, Message, Section } from './message.ts';
import { escalationAfter } from './policy.ts';
import { durationOf, type Usual } from './usual.ts';

/** What is known of an incident when its message is made. */
export interface Story {
  incident: Incident;
  job: Job | undefined;
  run: Run | undefined;
  usual: Usual | undefined;
  /** Undefined: not looked at; empty: nothing changed. */
  changes: string[] | undefined;
  /** Last lines of the log or traceback, redacted by the shim. */
  detail: string;
}

/** Jobs named one by one in a message about several. */
const mostJobs = 20;
const mostLines = 15;

/**
 * The message about one incident, or about several of one cause: the first is the eldest and gives the thread.
 * @param key of the message
 * @param links of the first incident
 */
export function compose(key: string, stories: readonly [Story, ...Story[]], links: Link[], now: Instant): Message {
  const [first, ...others] = stories;
  const { incident } = first;
  const good = stories.every(({ incident: one }) => one.state === 'resolved');
  const sections: Section[] = [
    { kind: 'text', text: sentenceOf(first, good) },
    ...(others.length > 0 ? [jobsOf(stories)] : []),
    { kind: 'facts', facts: factsOf(first, now) },
    ...changesOf(first),
    ...logOf(first, good),
    { kind: 'facts', facts: dutyOf(first) },
  ];
  return {
    key,
    thread: incident.id,
    kind: incident.kind,
    severity: good ? 'good' : worst(stories),
    title: titleOf(stories, good),
    sections,
    links: good ? links.filter(({ label }) => label === 'Open') : links,
    at: now,
  };
}

function worst(stories: readonly Story[]): Incident['severity'] {
  return severities.find((one) => stories.some(({ incident }) => incident.severity === one)) ?? 'warning';
}

function titleOf(stories: readonly [Story, ...Story[]], good: boolean): string {
  const { incident } = stories[0];
  const word = stateWord[incident.cause];
  if (incident.cause === 'scheduler') return word;
  const jobs = new Set(stories.map(({ incident: one }) => one.job));
  // The number of a finding says nothing to its reader.
  const subject = incident.subject && incident.cause !== 'drift' ? ` (${line(incident.subject, 60)})` : '';
  const name = jobs.size > 1 ? `${jobs.size} jobs` : `${incident.job ?? 'the service'}${subject}`;
  switch (incident.kind) {
    case 'opened':
      return good ? `${word}, AND OVER: ${name}` : `${word} ${name}`;
    case 'reminder':
    case 'escalated':
      return isFlapping(incident) ? `STILL FLAPPING ${name}` : `STILL ${word} ${name}`;
    case 'flapping':
      return `FLAPPING ${name}`;
    case 'resolved':
      return `RECOVERED ${name}`;
  }
}

function sentenceOf({ incident }: Story, good: boolean): string {
  const { what, firstStep } = said(incident);
  const text = line(what, 900);
  if (!good || incident.cause === 'scheduler') return `${text}\n\nFirst step: ${line(firstStep, 900)}`;
  if (incident.cause !== 'drift') return `It is good again. It was: ${text}`;
  return `It is over. ${line(incident.text, 900)} If results of these days were used, check them.`;
}

function jobsOf(stories: readonly Story[]): Section {
  const items = stories.slice(0, mostJobs).map(({ incident }) => {
    const times = incident.count > 1 ? ` (${incident.count} times)` : '';
    return `${incident.job ?? 'the service'}: ${stateWord[incident.cause].toLowerCase()}${times} · ${line(incident.text, 160)}`;
  });
  const more = stories.length - items.length;
  return { kind: 'list', heading: 'All of one cause', items: more > 0 ? [...items, `and ${more} more`] : items };
}

function factsOf({ incident, job, run, usual }: Story, now: Instant): { name: string; value: string }[] {
  const { since, count, flaps, openedAt, resolvedAt, lastAt } = incident;
  const facts = [];
  const often = count === 1 ? 'seen once' : `seen ${count} times, last at ${when(lastAt, job)}`;
  const lasted = (resolvedAt ?? now) - since;
  const span = lasted < minute ? '' : `, for ${spanText(lasted)}`;
  const until = resolvedAt === null ? '' : `, until ${when(resolvedAt, job)}`;
  facts.push({ name: 'Since', value: `${when(since, job)}${until}${span}; ${often}` });
  if (flaps > 0) facts.push({ name: 'Came back', value: `${flaps} times since ${when(openedAt, job)}` });
  if (run) facts.push({ name: 'Run', value: runName(run) });
  const versus = run && usual && versusUsual(run, usual);
  if (versus) facts.push({ name: 'Versus usual', value: versus });
  return facts;
}

export function versusUsual(run: Run, { durationMs, metrics }: Usual): string | undefined {
  const parts = [];
  const took = durationOf(run);
  if (took !== null && durationMs) {
    parts.push(`took ${spanText(took)} (usual ${spanText(durationMs.low)} to ${spanText(durationMs.high)})`);
  }
  for (const [name, value] of Object.entries(run.metrics)) {
    const spread = metrics[name];
    if (typeof value !== 'number' || !spread || parts.length >= 4) continue;
    if (value < spread.low || value > spread.high) {
      parts.push(`${line(name, 64)} ${value} (usual ${number(spread.low)} to ${number(spread.high)})`);
    }
  }
  return parts.length > 0 ? parts.join('; ') : undefined;
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function changesOf({ changes, incident }: Story): Section[] {
  if (changes === undefined || incident.state === 'resolved') return [];
  const items = changes.length > 0 ? changes.slice(0, 12).map((one) => line(one, 200)) : ['nothing on our side'];
  return [{ kind: 'list', heading: 'Changed since the last success', items }];
}

function logOf({ detail }: Story, good: boolean): Section[] {
  const lines = good || detail === '' ? [] : lastLines(detail, mostLines, 200);
  return lines.length > 0 ? [{ kind: 'log', heading: 'Last lines', lines }] : [];
}

/** Whose it is, and until when someone must have acted. */
function dutyOf({ incident, job }: Story): { name: string; value: string }[] {
  const { tier, acknowledged, state, since } = incident;
  const facts = [];
  if (job) {
    const { email, department, successor } = job.owner;
    facts.push({
      name: 'Owner',
      value: `${email}, ${line(department, 100)}${successor ? `; successor ${successor}` : ''}`,
    });
    facts.push({ name: 'Purpose', value: line(job.description, 200) });
  }
  facts.push({ name: 'Tier', value: `${tier}, severity ${incident.severity}` });
  if (acknowledged) {
    const why = acknowledged.why ? `: ${line(acknowledged.why, 200)}` : '';
    facts.push({
      name: 'Acknowledged',
      value: `by ${line(acknowledged.by, 100)} at ${when(acknowledged.at, job)}${why}`,
    });
  }
  const next = escalationAfter(incident);
  if (state === 'open' && next !== null) {
    const whom = incident.level === 0 && job?.owner.successor ? job.owner.successor : 'the fallback address';
    facts.push({ name: 'Due', value: `acknowledge by ${when(since + next, job)}, then it goes to ${whom}` });
  }
  return facts;
}

/** An instant as the people of the job read it: on the clock of its first schedule, with the zone. */
export function when(at: Instant, job: Job | undefined): string {
  const zone = job?.schedules[0]?.schedule.timeZone;
  if (zone === undefined || zone === 'UTC') return `${iso(at).slice(0, 16).replace('T', ' ')} UTC`;
  return `${localText(zone, at).slice(0, 16).replace('T', ' ')} ${zone}`;
}
