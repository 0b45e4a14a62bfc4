import { describe, expect, test } from 'vitest';
import { severityOf } from '../../shared/alerts/policy.ts';
import { alert } from '../../shared/alerts/tick.ts';
import { hour, minute, second } from '../../shared/instant.ts';
import { pipeline } from '../../shared/pipeline.ts';
import type { Incident } from '../../shared/store/incidents.ts';
import { allIncidents, allLetters, Mailbox, passing, permanent } from '../support/alerts/world.ts';
import { job, seven } from '../support/pipeline/cast.ts';
import { Died, disturbed, mortal, type When } from '../support/pipeline/fault.ts';
import { World } from '../support/pipeline/parts.ts';
import { numbers } from '../support/pipeline/random.ts';
import { survive } from '../support/pipeline/simulation.ts';

const every = (minutes: number) => `{ cron: "*/${minutes} * * * *", timeZone: UTC }`;
const names = ['failing', 'flapping', 'late', 'missed', 'gone', 'good'] as const;

/** What the platform does with each job: a failing, a flapping, one that vanishes, and one that is well. */
function behave(name: string, scheduledFor: string) {
  if (name === 'failing') return 'fail';
  if (name === 'gone') return 'vanish';
  if (name === 'flapping') return Math.floor(Date.parse(scheduledFor) / (10 * minute)) % 2 === 0 ? 'fail' : 'succeed';
  return 'succeed';
}

/**
 * Two hosts over eight hours of virtual time. Calls of storage and channels fail, with and without effect; hosts die and
 * come back; for three stretches both are unavailable, so that slots are late and missed; the two channels fail in turns.
 */
async function faultRun(seed: number) {
  const random = numbers(seed);
  const original = Math.random;
  Math.random = random;
  try {
    const world = await World.inMemory(
      job('failing', { schedule: every(5) }),
      job('flapping', { schedule: every(10) }),
      job('late', { schedule: `{ cron: "*/30 * * * *", timeZone: UTC, mustStartWithin: 2m }` }),
      job('missed', { schedule: `{ cron: "*/15 * * * *", timeZone: UTC, catchUp: none }` }),
      job('gone', { schedule: every(20) }),
      job('good', { schedule: every(5) }),
    );
    const began = world.now;
    const box = new Mailbox(() => world.now);
    world.platform.behave = ({ job: name, scheduledFor }) => behave(name, scheduledFor);
    const hosts = ['one', 'two'].map((person) => {
      const host = { deadUntil: 0, work: world.work };
      const plan = (): When | undefined => {
        if (world.now < host.deadUntil) return 'before';
        if (random() < 0.004) host.deadUntil = world.now + random() * 10 * minute;
        return random() < 0.02 ? (random() < 0.5 ? 'before' : 'after') : undefined;
      };
      const { parts } = disturbed(world.host({ person }), plan);
      // A host may die after a channel has accepted its message.
      const channels = new Map(
        [...box.alerts.channels].map(([name, channel]) => {
          const send: typeof channel.send = async (message, to) => {
            const when = plan();
            if (when === 'before') throw passing();
            await channel.send(message, to);
            if (when === 'after') throw passing();
          };
          return [name, { ...channel, send }];
        }),
      );
      host.work = pipeline({ ...parts, alerts: { ...box.alerts, channels } });
      return host;
    });
    box.fails = (channel) => {
      const phase = Math.floor((world.now - began) / hour) % 3;
      const broken = phase === 0 ? 'ops' : phase === 1 ? 'mail' : undefined;
      if (channel !== broken) return undefined;
      return random() < 0.3 ? permanent() : passing(random() < 0.2 ? 90 * second : null);
    };
    for (const until = began + 8 * hour; world.now < until; ) {
      world.now += 30 * second;
      const since = (world.now - began) % (2.5 * hour);
      if (since > 2 * hour) continue;
      for (const host of hosts) {
        if (world.now < host.deadUntil) continue;
        await survive(host.work.tick(world.now));
        for (const { text, done } of await world.queue.take(32, 60)) {
          await survive(host.work.launch(text, world.now).then(done));
        }
        for (const ended of world.platform.nudges.splice(0)) await survive(host.work.finish(ended, world.now));
      }
    }
    // All is well again: what waits is delivered.
    box.fails = () => undefined;
    Object.assign(world.parts, { alerts: box.alerts });
    await world.pass(world.now + 3 * hour);
    return { world, box, began };
  } finally {
    Math.random = original;
  }
}

/** What a channel was given: key without the way it took. */
const root = (key: string) => key.split('.via.')[0] ?? key;

describe.each([1, 2, 3, 4])('with the seed %i', (seed) => {
  test('no incident is lost, copies share their key, and no more is sent than the stated number', async () => {
    const { world, box } = await faultRun(seed);
    const incidents = await allIncidents(world.store, [...names, null]);
    const letters = await allLetters(world.store);

    // Everything that failed has an incident.
    for (const name of names) {
      const states = new Set((await world.rows(name)).map(({ state }) => state));
      for (const state of ['failed', 'lost', 'missed'] as const) {
        if (states.has(state)) expect(incidents.map((one) => `${one.job} ${one.cause}`)).toContain(`${name} ${state}`);
      }
    }
    expect(incidents.filter(({ job: of }) => of === 'good').every(({ cause }) => cause !== 'failed')).toBe(true);

    // Every step of every incident was accepted by some channel.
    const accepted = letters.filter(({ state }) => state === 'accepted');
    const heard = new Set(accepted.flatMap(({ reports }) => reports));
    // One whose place another took before it was reported has no message of its own.
    const replaced = ({ cause, job: of, reportedAt }: Incident) =>
      cause === 'late-start' &&
      reportedAt === null &&
      incidents.some((one) => one.job === of && one.cause === 'missed');
    const lost = incidents.filter((one) => !heard.has(`${one.id}.${one.reported}`) && !replaced(one));
    expect(lost.map(({ id }) => id)).toEqual([]);
    expect(incidents.filter(({ step, reported }) => reported < step)).toEqual([]);
    expect(letters.filter(({ state }) => state === 'waiting')).toEqual([]);
    expect(accepted.length).toBeGreaterThan(10);

    // On each host, and by each way: for one step and one channel that was meant there is one key.
    const keys = new Map<string, Set<string>>();
    for (const { key, reports } of accepted) {
      for (const report of reports) {
        const meant = `${report} for ${root(key).split('.').at(-1)}`;
        keys.set(meant, (keys.get(meant) ?? new Set()).add(root(key)));
      }
    }
    expect([...keys].filter(([, of]) => of.size > 1).map(([meant, of]) => `${meant}: ${[...of]}`)).toEqual([]);
    const arrivedKeys = new Set(box.arrived.map(({ channel, message }) => `${message.key} ${channel}`));
    expect(arrivedKeys.size).toBeLessThanOrEqual(accepted.length);

    // Of one incident: its ups and downs as far as they are reported, two escalations, and reminders that grow apart.
    for (const incident of incidents) expect(incident.step).toBeLessThanOrEqual(mostSteps(incident));
    const { length: copies } = box.arrived;
    console.log(
      `seed ${seed}: ${incidents.length} incidents, ${heard.size} steps, ${arrivedKeys.size} messages, ${copies - arrivedKeys.size} copies, 0 lost`,
    );
  });
});

/** In eleven hours. */
function mostSteps({ flaps, cause, tier }: Incident): number {
  const upsAndDowns = 2 * Math.min(flaps, 2) + 2;
  const reminders = severityOf(cause, tier) === 'warning' ? 0 : 2;
  const escalations = severityOf(cause, tier) === 'warning' ? 0 : 2;
  // Each time it comes back after a recovery that was reported it may be escalated anew.
  return upsAndDowns + (reminders + escalations) * (Math.min(flaps, 1) + 1);
}

test('the host may die between any two steps of reporting and sending: the message arrives, once by its key', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; ; at += 1) {
      const world = await World.inMemory(job('score', { schedule: every(30) }), job('pull', { schedule: every(30) }));
      const box = new Mailbox(() => world.now);
      world.platform.behave = () => 'fail';
      world.platform.failure = { fingerprint: 'abc' };
      await world.pass(seven + 10 * second);
      const nothing = { behindMs: 0, sinceLastMs: 0, affected: [] };
      const { parts, calls } = mortal(world.host({ alerts: box.alerts }), at, when);
      const now = world.now + minute;
      await alert(parts, nothing, now).catch((error) => {
        if (!(error instanceof Died)) throw error;
      });
      for (let later = 1; later < 6; later += 1)
        await alert(world.host({ alerts: box.alerts }), nothing, now + later * minute);
      expect(new Set(box.arrived.map(({ message }) => message.key)).size).toBe(1);
      expect(box.titles()[0]).toBe('FAILED 2 jobs');
      expect((await allIncidents(world.store, [])).map(({ step, reported }) => [step, reported])).toEqual([
        [1, 1],
        [1, 1],
      ]);
      expect((await allLetters(world.store)).map(({ state }) => state)).toEqual(['accepted']);
      if (calls() < at) break;
    }
  }
});
