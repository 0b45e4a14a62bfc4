import { styleText } from 'node:util';
import { acknowledge, resolve, scopeText, silence as silenceScope, unsilence } from '../../shared/actions/incidents.ts';
import { type Instant, iso, minute } from '../../shared/instant.ts';
import { parseDuration } from '../../shared/job/duration.ts';
import type { Incident } from '../../shared/store/incidents.ts';
import type { Scope, Silence } from '../../shared/store/silences.ts';
import { visible } from '../../shared/text.ts';
import type { Home } from '../home.ts';
import { knownJob, openParts, type Session } from '../host/session.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { printTable } from '../table.ts';
import { readFrom, readTo } from '../time.ts';
import { spanText } from '../words.ts';
import { type ActOptions, person } from './act.ts';

export interface ListOptions {
  all?: boolean;
  limit: number;
  json?: boolean;
}

/** `lamp incidents`: what is wrong now, worst first; with --all what was as well. */
export async function incidents(home: Home, name: string | undefined, options: ListOptions): Promise<void> {
  const session = await openParts(home);
  const job = name === undefined ? undefined : await knownJob(session, name);
  const found = await openIncidents(session, job, options.all ?? false);
  if (options.all) {
    for (const of of job === undefined ? [...session.catalog().keys(), null] : [job]) {
      for await (const one of session.store.incidents.past(of)) if (found.push(one) >= options.limit * 4) break;
    }
  }
  const listed = found.toSorted(worstFirst).slice(0, options.limit);
  if (options.json) printJson(listed.map(incidentJson));
  else if (listed.length === 0) console.log(options.all ? 'There has been no incident.' : 'Nothing is wrong.');
  else printTable(['SINCE', 'STATE', 'SEVERITY', 'INCIDENT', 'TIMES', 'WHAT'], listed.map(row));
}

async function openIncidents({ store }: Session, job: string | undefined, resolved: boolean): Promise<Incident[]> {
  const found: Incident[] = [];
  const open = job === undefined ? store.incidents.open() : store.incidents.openOf(job);
  for await (const { value } of open) if (resolved || value.state !== 'resolved') found.push(value);
  return found;
}

const order = { critical: 0, error: 1, warning: 2 };

function worstFirst(a: Incident, b: Incident): number {
  const over = (one: Incident) => (one.state === 'resolved' ? 1 : 0);
  return over(a) - over(b) || order[a.severity] - order[b.severity] || b.since - a.since;
}

function row(one: Incident): string[] {
  const colour = one.state === 'resolved' ? 'dim' : one.severity === 'warning' ? 'yellow' : 'red';
  const taken = one.acknowledged ? ` by ${one.acknowledged.by}` : '';
  return [
    iso(one.since).slice(0, 16).concat('Z'),
    styleText(colour, one.state) + visible(taken),
    one.severity,
    one.id,
    String(one.count),
    visible(one.text),
  ];
}

function incidentJson(one: Incident) {
  const at = (instant: Instant | null) => (instant === null ? null : iso(instant));
  return {
    incident: one.id,
    job: one.job,
    cause: one.cause,
    subject: one.subject,
    state: one.state,
    severity: one.severity,
    tier: one.tier,
    text: one.text,
    errorClass: one.errorClass,
    since: iso(one.since),
    openedAt: iso(one.openedAt),
    lastAt: iso(one.lastAt),
    resolvedAt: at(one.resolvedAt),
    reportedAt: at(one.reportedAt),
    times: one.count,
    flaps: one.flaps,
    run: one.job !== null && one.run !== null ? `${one.job}.${one.run}` : null,
    acknowledged: one.acknowledged && { ...one.acknowledged, at: iso(one.acknowledged.at) },
  };
}

/** `lamp ack`: an operator takes an incident, or all open ones of a job. */
export async function ack(home: Home, name: string, options: ActOptions): Promise<void> {
  await act(home, name, options, 'acknowledged', ({ state }) => state === 'open', acknowledge);
}

/** `lamp resolve`: an operator says that it is over. */
export async function resolveIncident(home: Home, name: string, options: ActOptions): Promise<void> {
  await act(home, name, options, 'resolved', ({ state }) => state !== 'resolved', resolve);
}

async function act(
  home: Home,
  name: string,
  options: ActOptions,
  word: string,
  wanted: (incident: Incident) => boolean,
  perform: typeof acknowledge,
): Promise<void> {
  const session = await openParts(home);
  const all = await openIncidents(session, undefined, true);
  const named = all.filter(({ id, job }) => id === name || job === name);
  if (named.length === 0) {
    await knownJobOrIncident(session, name);
    throw new Refusal(`${name} has no open incident. They are listed by: lamp incidents`);
  }
  const asked = person(home, options);
  const done: Incident[] = [];
  for (const one of named.filter(wanted)) {
    const next = await perform(session, one, asked, Date.now());
    if (next) done.push(next);
  }
  if (options.json) printJson(done.map(incidentJson));
  else if (done.length === 0) console.log(`Nothing of ${name} was left to be ${word}.`);
  else for (const { id } of done) console.log(`${id} is ${word}.`);
}

async function knownJobOrIncident(session: Session, name: string): Promise<void> {
  if (!name.includes('.')) await knownJob(session, name);
}

export interface SilenceOptions extends ActOptions {
  for?: string;
  from?: string;
  until?: string;
  tag?: string;
  all?: boolean;
  end?: string;
}

/** `lamp silence`: keeps messages back for a time; without arguments lists what is silent. */
export async function silence(home: Home, name: string | undefined, options: SilenceOptions): Promise<void> {
  const session = await openParts(home);
  const now = Date.now();
  if (options.end !== undefined) {
    const ended = await unsilence(session, options.end, person(home, options), now);
    if (!ended) throw new Refusal(`There is no silence "${options.end}". They are listed by: lamp silence`);
    console.log(`${scopeText(ended.scope)} is heard again.`);
    return;
  }
  const scopes = [name !== undefined, options.tag !== undefined, options.all === true].filter(Boolean).length;
  if (scopes === 0) return listSilences(session, options, now);
  if (scopes > 1) throw new Refusal('Name one of them: a job, --tag or --all.');
  if (options.why === '') throw new Refusal('A silence needs a reason: add --why "the CRM is moved"');
  const scope = await scopeOf(session, name, options);
  const time = period(options, now);
  const made = await silenceScope(session, scope, time, person(home, options), now);
  if (options.json) printJson(silenceJson(made));
  else
    console.log(
      `${scopeText(scope)} is silent until ${iso(made.until)} (${made.id}). End it: lamp silence --end ${made.id}`,
    );
}

async function scopeOf(session: Session, name: string | undefined, { tag }: SilenceOptions): Promise<Scope> {
  if (name !== undefined) return { kind: 'job', name: await knownJob(session, name) };
  if (tag === undefined) return { kind: 'all' };
  if (!/^(tier|department|owner):.+/.test(tag)) {
    throw new Refusal(`--tag ${tag}: expected tier:critical, department:Sales or owner:dana@contoso.com`);
  }
  return { kind: 'tag', name: tag };
}

function period(options: SilenceOptions, now: Instant): { from: Instant; until: Instant } {
  const from = options.from === undefined ? now : readFrom('--from', options.from);
  if (options.until !== undefined) {
    const until = readTo('--until', options.until);
    if (until <= Math.max(from, now)) throw new Refusal(`--until ${options.until} is over already: name a later time.`);
    return { from, until };
  }
  const span = parseDuration(options.for ?? '');
  if (span === undefined || span < minute) {
    throw new Refusal('A silence needs an end: --for 2h (minutes, hours, days), or --until 2026-11-20T18:00Z');
  }
  return { from, until: from + span };
}

async function listSilences({ store }: Session, { json }: SilenceOptions, now: Instant): Promise<void> {
  const found = (await store.silences.current()).filter(({ until }) => until > now);
  if (json) printJson(found.map(silenceJson));
  else if (found.length === 0)
    console.log('Nothing is silent. Silence a job: lamp silence <job> --for 2h --why <text>');
  else {
    const rows = found.map((one) => [
      one.id,
      visible(scopeText(one.scope)),
      one.from > now ? `from ${iso(one.from)}` : `for ${spanText(one.until - now)} more`,
      visible(one.by),
      visible(one.why),
    ]);
    printTable(['ID', 'WHOM', 'HOW LONG', 'BY', 'WHY'], rows);
  }
}

function silenceJson({ id, scope, from, until, by, why }: Silence) {
  return { id, scope, from: iso(from), until: iso(until), by, why };
}
