import { serviceName } from '../../../shared/actions/incidents.ts';
import type { Caller } from '../../../shared/api/caller.ts';
import { v1 } from '../../../shared/api/v1.ts';
import { opened } from '../../../shared/drift/finding.ts';
import { newState } from '../../../shared/drift/state.ts';
import { day, minute } from '../../../shared/instant.ts';
import type { Parts } from '../../../shared/parts.ts';
import { Mailbox } from '../alerts/world.ts';
import { packed } from '../drift/replays.ts';
import { hourly, job, seven } from '../pipeline/cast.ts';
import { World } from '../pipeline/parts.ts';

export const admin: Caller = { name: 'lee@contoso.com', roles: ['admin'], departments: null };

export interface Answer {
  status: number;
  etag: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects
  body: any;
}

/**
 * The API as an admin meets it, over a service with one of everything that can be acted on: `score` with a finding and a
 * silence, `sick` with an incident, `long` that goes on, `golden` with frozen examples.
 */
export class Acted {
  readonly world: World;
  readonly box: Mailbox;
  /** Id of the finding of `score`. */
  readonly finding = String(seven - day);
  readonly silence = 'abc123';
  app!: ReturnType<typeof v1>;

  private constructor(world: World) {
    this.world = world;
    this.box = new Mailbox(() => world.now);
    this.open();
  }

  static async create(): Promise<Acted> {
    const jobs = [job('score', { schedule: hourly }), job('sick', { schedule: hourly }), job('long', {})];
    const world = await World.inMemory(...jobs);
    world.jobs.set('golden', await packed('golden'));
    world.platform.behave = ({ job: name }) => (name === 'sick' ? 'fail' : name === 'long' ? 'run' : 'succeed');
    await world.pass(seven + 2 * minute);
    const acted = new Acted(world);
    const numbers = {
      metric: 'mean',
      kind: 'shift_up',
      share: false,
      before: 10,
      low: 9,
      high: 12,
      after: 20,
    } as const;
    const moved = { since: seven - 4 * day, found: seven - day, kind: 'shift_up' } as const;
    const points = [10, 11, 10, 11, 20, 21].map((value, at) => ({ slot: seven - (6 - at) * day, value }));
    await world.store.drift.putStates([{ ...newState('score', 'mean', 10), points, drifted: moved }]);
    const finding = opened('score', { ...moved, metric: 'mean', oneIn: 900, numbers });
    await world.store.drift.putFinding({ ...finding, id: acted.finding, sentence: 'It moved.' });
    const silence = { from: world.now, until: seven + day, by: 'dana', why: '' };
    await world.store.silences.add({ ...silence, id: acted.silence, scope: { kind: 'job', name: 'score' } });
    return acted;
  }

  /** From here on the API is that of a host of these parts. */
  open(over: Partial<Parts> = {}): void {
    const parts = this.world.host({ alerts: this.box.alerts, ...over });
    this.app = v1({ parts, clock: () => this.world.now }, async () => admin);
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const all = { 'content-type': 'application/json', ...headers };
    const answer = await this.app.request(path, { method, headers: all, ...sent });
    return { status: answer.status, etag: answer.headers.get('etag'), body: await answer.json() };
  }

  post(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask('POST', path, body, headers);
  }

  /** Id of the incident of `sick`. */
  async incident(): Promise<string> {
    for await (const { value } of this.world.store.incidents.open()) if (value.job === 'sick') return value.id;
    throw new Error('expected an incident of sick');
  }

  /** Id of the newest run of a job that is over. */
  async past(name: string): Promise<string> {
    return (await this.world.rows(name)).findLast(({ endedAt }) => endedAt !== null)?.id ?? '';
  }

  /** How many entries the audit has. */
  async audit(): Promise<number> {
    const { jobs, store } = this.world;
    let count = 0;
    for (const name of [...jobs.keys(), serviceName]) for await (const _ of store.events.list(name)) count++;
    return count;
  }
}
