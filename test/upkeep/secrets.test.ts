import { beforeEach, describe, expect, test } from 'vitest';
import { loop } from '../../cli/host/loop.ts';
import { type Event, eventText } from '../../shared/events.ts';
import { day, hour, type Instant, minute } from '../../shared/instant.ts';
import { SecretError, type SecretVersion } from '../../shared/secrets/vault.ts';
import { dueWarning } from '../../shared/upkeep/expiry.ts';
import { checkSecrets } from '../../shared/upkeep/secrets.ts';
import { deployed, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

describe('a warning of expiry', () => {
  const expires = seven + 40 * day;
  /** Days left at each warning, when a person asks once a day at seven (and `late` ms), from now until day 45. */
  function reported(asked: (day: number) => boolean = () => true, late = 0) {
    const days: number[] = [];
    let last: Instant | undefined = seven;
    for (let index = 1; index <= 45; index++) {
      if (!asked(index)) continue;
      const now: Instant = seven + index * day + late;
      const due = dueWarning(expires, last, now);
      if (due !== undefined) days.push(due);
      last = now;
    }
    return days;
  }

  test('comes 30, 7 and 1 days ahead, and every day from the expiry on', () => {
    expect(reported()).toEqual([30, 7, 1, 0, -1, -2, -3, -4, -5]);
    expect(reported(() => true, 3 * hour)).toEqual([29, 6, 0, -1, -2, -3, -4, -5, -6]);
  });

  test('is not lost when no one could ask on its day, and several that were missed are one', () => {
    expect(reported((index) => index !== 10 && index !== 33)).toEqual([29, 6, 1, 0, -1, -2, -3, -4, -5]);
    expect(reported((index) => index < 9 || index > 40)).toEqual([-1, -2, -3, -4, -5]);
  });

  test('is reported at once of a secret that is first seen when it is nearly over, or long over', () => {
    expect(dueWarning(expires, undefined, expires - 12 * day)).toBe(12);
    expect(dueWarning(expires, undefined, expires + 400 * day)).toBe(-400);
    expect(dueWarning(expires, undefined, expires - 31 * day)).toBeUndefined();
  });

  test('is the same for who asks again in the same hour: nothing more', () => {
    expect(dueWarning(expires, expires - 30 * day, expires - 30 * day + hour)).toBeUndefined();
    expect(dueWarning(expires, expires - 30 * day - 1, expires - 30 * day)).toBe(30);
  });

  test('is for people: a date, and who needs it', () => {
    const say = (days: number) =>
      eventText({ type: 'secret-expiring', secret: 'crm-api-key', jobs: ['pull', 'push'], expiresOn: seven, days });
    expect(say(7)).toBe('secret crm-api-key expires on 2026-11-20: renew it for pull, push');
    expect(say(-1)).toMatch(/^secret crm-api-key has expired on 2026-11-20/);
  });
});

describe('the daily check', () => {
  let world: World;
  /** What the vault says of each secret. */
  let secrets: Record<string, SecretVersion | SecretError>;
  let asked: string[];
  const version = (expiresOn: Instant | null, validFrom: Instant | null = null): SecretVersion => {
    return { version: 'v1', expiresOn, validFrom };
  };
  const check = (now: Instant) => checkSecrets(world.host({ vault: { ...world.parts.vault, version: look } }), now);
  const news = () =>
    world.events.splice(0).filter(({ type }) => type.startsWith('secret-') || type === 'trouble') as Event[];

  async function look(name: string): Promise<SecretVersion> {
    asked.push(name);
    const found = secrets[name] ?? new SecretError('missing', 'is missing');
    if (found instanceof SecretError) throw found;
    return found;
  }

  beforeEach(async () => {
    const using = (name: string, ...names: string[]) =>
      job(name, { more: `secrets: { ${names.map((one, index) => `KEY_${index}: ${one}`).join(', ')} }` });
    world = await World.inMemory(
      using('pull', 'crm-api-key'),
      using('push', 'CRM-API-KEY', 'mail-password'),
      job('plain'),
    );
    const gone = using('gone', 'old-key');
    world.jobs.set('gone', deployed({ ...gone, status: 'decommissioned' }));
    secrets = { 'crm-api-key': version(null), 'mail-password': version(null) };
    asked = [];
    world.events.length = 0;
  });

  test('looks once at each secret that a job uses, and says nothing when all is well', async () => {
    await check(seven);
    expect(asked).toEqual(['crm-api-key', 'mail-password']);
    expect(news()).toEqual([]);
  });

  test('reports a secret that is about to expire, with all the jobs that use it', async () => {
    secrets['crm-api-key'] = version(seven + 20 * day);
    await check(seven);
    const expected = { type: 'secret-expiring', secret: 'crm-api-key', jobs: ['pull', 'push'], days: 20 };
    expect(news()).toEqual([{ ...expected, expiresOn: seven + 20 * day }]);
  });

  test('goes through once a day, however often and on however many hosts it is called', async () => {
    secrets['crm-api-key'] = version(seven - day - hour);
    for (const later of [0, 1, hour, 19 * hour]) await check(seven + later);
    expect(news()).toHaveLength(1);
    expect(asked).toHaveLength(2);
    // A timer that comes a little early the next day.
    await check(seven + day - minute);
    expect(news()).toMatchObject([{ type: 'secret-expiring', days: -3 }]);
  });

  test('says which secrets cannot be used and why, and still looks at the others', async () => {
    secrets['crm-api-key'] = new SecretError('disabled', 'is disabled in https://v');
    secrets['mail-password'] = version(seven + day, seven + hour);
    await check(seven);
    expect(news().map(eventText)).toEqual([
      'secret crm-api-key of pull, push is disabled in https://v',
      expect.stringMatching(/^secret mail-password of push is marked as valid only from 2026-11-20T08:00:00Z/),
      'secret mail-password expires on 2026-11-21: renew it for push',
    ]);
  });

  test('that finds the vault away says so once, and tomorrow says what came due today', async () => {
    secrets['mail-password'] = version(seven + 30 * day + hour);
    await check(seven);
    expect(news()).toEqual([]);
    // A threshold passes on a day on which the vault throttles.
    secrets['crm-api-key'] = new SecretError('throttled', 'https://v is asked too often');
    await check(seven + day);
    expect(news()).toMatchObject([{ type: 'trouble', doing: 'checking the secret crm-api-key' }]);
    secrets['crm-api-key'] = version(null);
    await check(seven + 2 * day);
    expect(news()).toMatchObject([{ type: 'secret-expiring', secret: 'mail-password', days: 28 }]);
  });

  test('that fails in the middle is done again from the start', async () => {
    secrets['crm-api-key'] = version(seven + hour);
    const failing = world.host({
      vault: { ...world.parts.vault, version: () => Promise.reject(new Error('a mistake')) },
    });
    await expect(checkSecrets(failing, seven)).rejects.toThrow('a mistake');
    await check(seven + minute);
    expect(news()).toMatchObject([{ type: 'secret-expiring', days: 0 }]);
  });

  test('is made by a host on one machine without being asked', async () => {
    delete secrets['mail-password'];
    const reported = Promise.withResolvers<Event>();
    const emit = (event: Event) => {
      if (event.type === 'secret-unusable') reported.resolve(event);
    };
    const running = loop(world.host({ emit, vault: { ...world.parts.vault, version: look } }), () => 0);
    expect(await reported.promise).toMatchObject({ secret: 'mail-password', jobs: ['push'] });
    await running.stop();
  });
});
