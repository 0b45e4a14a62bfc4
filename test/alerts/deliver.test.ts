import { describe, expect, test } from 'vitest';
import { deliver } from '../../shared/alerts/deliver.ts';
import { testChannels } from '../../shared/alerts/upkeep.ts';
import { watchdog, watchdogMessage } from '../../shared/alerts/watchdog.ts';
import { day, hour, minute, second } from '../../shared/instant.ts';
import { checkSecrets } from '../../shared/upkeep/secrets.ts';
import { allLetters, Mailbox, passing, permanent } from '../support/alerts/world.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

/** A job that fails at seven, and channels that do as `fails` says. */
async function failing(fails: Mailbox['fails'] = () => undefined) {
  const world = await World.inMemory(job('score', { schedule: hourly }));
  const box = new Mailbox(() => world.now);
  box.fails = fails;
  Object.assign(world.parts, { alerts: box.alerts });
  world.platform.behave = ({ scheduledFor }) => (Date.parse(scheduledFor) === seven ? 'fail' : 'run');
  return { world, box };
}

describe('a letter', () => {
  test('is tried again after waits that double, and goes to the fallback as well after four tries', async () => {
    const tries: number[] = [];
    const { world, box } = await failing((channel) => {
      if (channel !== 'ops') return undefined;
      tries.push((world.now - seven) / minute);
      return passing();
    });
    await world.pass(seven + 30 * minute);
    expect(tries).toEqual([1, 2, 3, 5, 9, 17]);
    expect(box.arrived.map(({ channel, message }) => `${channel} ${message.title}`)).toEqual([
      'mail FAILED score',
      'mail CHANNEL BROKEN the service (ops)',
    ]);
    box.fails = () => undefined;
    await world.pass(seven + 40 * minute);
    // Late is better than never, and the channel is well again.
    expect(box.arrived.slice(2).map(({ channel, message }) => `${channel} ${message.title}`)).toEqual([
      'ops FAILED score',
      'mail RECOVERED the service (ops)',
    ]);
    expect(
      new Set(box.arrived.filter(({ message }) => message.title === 'FAILED score').map(({ message }) => message.key))
        .size,
    ).toBe(1);
  });

  test('that cannot be delivered is not tried again, but goes to the fallback at once', async () => {
    let tries = 0;
    const { world, box } = await failing((channel) => {
      if (channel !== 'ops') return undefined;
      tries += 1;
      return permanent();
    });
    await world.pass(seven + 2 * minute);
    expect(tries).toBe(1);
    expect(box.arrived.map(({ channel, message }) => `${channel} ${message.title}`)).toEqual([
      'mail FAILED score',
      'mail CHANNEL BROKEN the service (ops)',
    ]);
    expect((await allLetters(world.store)).find(({ channel }) => channel === 'ops')).toMatchObject({
      state: 'given-up',
      error: 'answers 404',
    });
  });

  test('is not lost when every channel refuses: the last one is asked again and again', async () => {
    const { world, box } = await failing(() => permanent());
    await world.pass(seven + 6 * hour);
    expect(box.arrived).toEqual([]);
    box.fails = () => undefined;
    await world.pass(seven + 8 * hour);
    expect(box.titles()).toContain('FAILED score');
  });

  test('waits as long as the other side asks for', async () => {
    const tries: number[] = [];
    const { world } = await failing((channel) => {
      if (channel === 'ops') tries.push((world.now - seven) / minute);
      return channel === 'ops' ? passing(20 * minute) : undefined;
    });
    await world.pass(seven + 45 * minute);
    expect(tries).toEqual([1, 21, 41]);
  });

  test('of a channel that is gone from alerts.yaml goes to the fallback', async () => {
    const { world, box } = await failing();
    box.alerts.settings.default = ['gone'];
    await world.pass(seven + 2 * minute);
    expect(box.arrived.map(({ channel }) => channel)).toContain('mail');
  });
});

test('a channel that hangs does not hold up the other channels, nor a tick for long', async () => {
  const { world, box } = await failing();
  const letters = [];
  for (let at = 0; at < 200; at += 1) {
    const letter = {
      to: [],
      fallbacks: [],
      message: '{"title":"x"}',
      reports: [],
      createdAt: seven,
      notBefore: 0,
      leasedUntil: null,
    };
    const rest = { tries: 0, error: null, state: 'waiting', doneAt: null } as const;
    letters.push(world.store.outbox.put({ ...letter, ...rest, key: `k${at}`, channel: at % 2 ? 'ops' : 'mail' }));
  }
  await Promise.all(letters);
  let asked = 0;
  box.fails = (channel) => {
    if (channel === 'ops') asked += 1;
    return channel === 'ops' ? passing() : undefined;
  };
  await deliver(world.parts, box.alerts, world.now);
  // One that is in trouble is left alone for this round; of the others a bounded number is sent.
  expect(asked).toBe(1);
  expect(box.arrived.length).toBeGreaterThan(10);
  expect(box.arrived.length).toBeLessThanOrEqual(60);
});

test('a channel that takes nothing keeps no letter of another channel waiting, however many wait for it', async () => {
  const { world, box } = await failing();
  const letter = { to: [], fallbacks: [], reports: [], createdAt: seven, notBefore: 0, leasedUntil: null };
  const rest = { message: '{"title":"x"}', tries: 0, error: null, state: 'waiting', doneAt: null } as const;
  for (let at = 0; at < 100; at += 1) {
    await world.store.outbox.put({ ...letter, ...rest, key: `receipt.${at}`, channel: 'ops' });
  }
  await world.store.outbox.put({ ...letter, ...rest, key: 'score.failed', channel: 'mail' });
  box.fails = (channel) => (channel === 'ops' ? passing() : undefined);
  await deliver(world.parts, box.alerts, world.now);
  expect(box.arrived.map(({ channel }) => channel)).toEqual(['mail']);
});

describe('once a day', () => {
  test('each channel that has sent nothing is tried; one that fails is reported by the others', async () => {
    const { world, box } = await failing();
    box.fails = (channel) => (channel === 'sales' ? permanent() : undefined);
    await testChannels(world.parts, box.alerts, world.now);
    await world.pass(world.now + 3 * minute);
    expect(box.arrived.map(({ channel, message }) => `${channel} ${message.title}`)).toEqual([
      'ops TEST of the alert channel ops',
      'mail TEST of the alert channel mail',
      'ops CHANNEL BROKEN the service (sales)',
    ]);
    box.take();
    await testChannels(world.parts, box.alerts, world.now);
    expect(box.arrived).toEqual([]);
    box.fails = () => undefined;
    world.now += 21 * hour;
    await testChannels(world.parts, box.alerts, world.now);
    // `ops` has delivered within the day: that is proof enough.
    expect(box.titles()).toEqual(['TEST of the alert channel mail', 'TEST of the alert channel sales']);
    await world.pass(world.now + 3 * minute);
    expect(box.titles()).toContain('RECOVERED the service (sales)');
  });

  test('a secret about to expire is reported 30, 7 and 1 days ahead, and the renewal', async () => {
    const world = await World.inMemory(
      job('score', { more: 'secrets: { KEY: crm-key }' }),
      job('pull', { more: 'secrets: { KEY: crm-key }' }),
    );
    const box = new Mailbox(() => world.now);
    let expiresOn: number | null = seven + 40 * day;
    const version = async () => ({ version: 'v1', validFrom: null, expiresOn });
    Object.assign(world.parts, { alerts: box.alerts, vault: { ...world.parts.vault, version } });
    const seen: string[] = [];
    for (let at = 0; at < 41; at += 1) {
      world.now = seven + at * day;
      if (at === 40) expiresOn = seven + 400 * day;
      await checkSecrets(world.parts, world.now);
      await world.pass(world.now + 2 * minute);
      for (const { message } of box.take()) seen.push(`${at} ${message.title}`);
    }
    expect(seen).toEqual([
      '10 SECRET 2 jobs',
      '33 STILL SECRET 2 jobs',
      '39 STILL SECRET 2 jobs',
      '40 RECOVERED 2 jobs',
    ]);
  });
});

describe('the watchdog', () => {
  const after = 10 * minute;
  const fresh = { lastTick: null, since: seven, reportedAt: null };

  test('raises the alarm once when no tick comes any more, again after a day, and says when it is over', () => {
    let state = watchdog({ ...fresh }, seven, after, seven + second).state;
    const barks: string[] = [];
    for (let at = 0; at < 26 * 60; at += 1) {
      const found = watchdog(state, at < 25 * 60 + 30 ? seven : seven + at * minute, after, seven + at * minute);
      state = found.state;
      if (found.bark) barks.push(`${at} ${found.bark}`);
    }
    expect(barks).toEqual(['11 down', '1451 still down', '1530 back']);
  });

  test('does so as well when the store went down with the service', () => {
    const state = watchdog(fresh, seven, after, seven).state;
    expect(watchdog(state, undefined, after, seven + 9 * minute).bark).toBeNull();
    const found = watchdog(state, undefined, after, seven + 11 * minute);
    expect(found.bark).toBe('down');
    const message = watchdogMessage('down', found.state, found.silentMs, '/srv/jobs on host', 'is not running', seven);
    expect(message.title).toBe('SCHEDULER IS DOWN');
    expect(JSON.stringify(message.sections)).toContain('has not worked for 11 min');
  });

  test('gives a service that it has never seen the same time', () => {
    expect(watchdog(fresh, undefined, after, seven + 5 * minute).bark).toBeNull();
    expect(watchdog(fresh, undefined, after, seven + 11 * minute).bark).toBe('down');
  });
});
