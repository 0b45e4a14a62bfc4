import { scopeText } from '../../shared/actions/incidents.ts';
import type { SilenceJson } from '../../shared/api/json.ts';
import { type Instant, iso, minute } from '../../shared/instant.ts';
import { parseDuration } from '../../shared/job/duration.ts';
import type { Scope } from '../../shared/store/silences.ts';
import { visible } from '../../shared/text.ts';
import { ApiRefusal, type Client } from '../client.ts';
import { knownJob } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { listOf, silenceShape } from '../shapes.ts';
import { printTable } from '../table.ts';
import { readFrom, readTo } from '../time.ts';
import { spanText } from '../words.ts';
import type { ActOptions } from './act.ts';

export interface SilenceOptions extends ActOptions {
  for?: string;
  from?: string;
  until?: string;
  tag?: string;
  all?: boolean;
  end?: string;
}

/** `lamp silence`: keeps messages back for a time; without arguments lists what is silent. */
export async function silence(here: Here, name: string | undefined, options: SilenceOptions): Promise<void> {
  const now = here.now();
  if (options.end !== undefined) return end(await here.connect(options.by), options.end, options);
  const scopes = [name !== undefined, options.tag !== undefined, options.all === true].filter(Boolean).length;
  if (scopes === 0) return listSilences(await here.connect(), options, now);
  if (scopes > 1) throw new Refusal('Name one of them: a job, --tag or --all.');
  if (options.why === '') throw new Refusal('A silence needs a reason: add --why "the CRM is moved"');
  const { from, until } = period(options, now);
  const client = await here.connect(options.by);
  const order = {
    scope: await scopeOf(client, name, options),
    ...(options.from !== undefined && { from: iso(from) }),
    until: iso(until),
    why: options.why,
  };
  const made = await client.post('/silences', order, silenceShape);
  if (options.json) return printJson(made);
  console.log(
    `${scopeText(made.scope)} is silent until ${made.until} (${made.id}). End it: lamp silence --end ${made.id}`,
  );
}

async function end(client: Client, id: string, { why, json }: SilenceOptions): Promise<void> {
  const ended = await client.post(`/silences/${encodeURIComponent(id)}/end`, { why }, silenceShape).catch((error) => {
    if (!(error instanceof ApiRefusal) || !['no-such-silence', 'bad-request'].includes(error.code)) throw error;
    throw new Refusal(`There is no silence "${id}". They are listed by: lamp silence`);
  });
  if (json) printJson(ended);
  else console.log(`${scopeText(ended.scope)} is heard again.`);
}

async function scopeOf(client: Client, name: string | undefined, { tag }: SilenceOptions): Promise<Scope> {
  if (name !== undefined) return { kind: 'job', name: await knownJob(client, name) };
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

async function listSilences(client: Client, { json }: SilenceOptions, now: Instant): Promise<void> {
  const { items } = await client.get('/silences', listOf(silenceShape));
  if (json) printJson(items);
  else if (items.length === 0)
    console.log('Nothing is silent. Silence a job: lamp silence <job> --for 2h --why <text>');
  else
    printTable(
      ['ID', 'WHOM', 'HOW LONG', 'BY', 'WHY'],
      items.map((one) => row(one, now)),
    );
}

function row({ id, scope, from, until, by, why }: SilenceJson, now: Instant): string[] {
  const long = Date.parse(from) > now ? `from ${from}` : `for ${spanText(Date.parse(until) - now)} more`;
  return [id, visible(scopeText(scope)), long, visible(by), visible(why)];
}
