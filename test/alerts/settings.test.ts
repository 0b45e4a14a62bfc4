import { describe, expect, test } from 'vitest';
import { BadAlertSettings, readAlertSettings } from '../../shared/alerts/file.ts';
import { routesOf } from '../../shared/alerts/route.ts';
import { noAlerts, secretsOf } from '../../shared/alerts/settings.ts';
import { job } from '../support/pipeline/cast.ts';

const good = `channels:
  sales-ops: { type: teams, address: { secret: teams-sales-ops } }
  it-ops: { type: slack, address: { secret: slack-it } }
  mail: { type: smtp, host: smtp.contoso.com, user: lamp, password: { secret: smtp-password }, from: lamp@contoso.com }
default: [it-ops]
critical: [it-ops]
fallback: [mail, it-ops]
email: mail
fallbackEmail: it@contoso.com
`;
const settings = readAlertSettings(good);

describe('alerts.yaml', () => {
  test('is read with its defaults; an empty one means that nothing is sent', () => {
    expect(settings.channels.mail).toMatchObject({ port: 587, tls: 'required', to: [] });
    expect(secretsOf(settings)).toEqual(['slack-it', 'smtp-password', 'teams-sales-ops']);
    expect(readAlertSettings('')).toEqual(noAlerts);
    expect(readAlertSettings('# nothing yet\n')).toEqual(noAlerts);
  });

  test('reports every problem at once, with place, value and expectation', () => {
    const bad = `channels:
  ops: { type: teams, address: https://example.org/hook }
  mail: { type: smtp, host: smtp.contoso.com, from: no one }
  Other: { type: slack, address: { secret: s } }
default: [nowhere]
colour: red
`;
    let said = '';
    try {
      readAlertSettings(bad);
    } catch (error) {
      expect(error).toBeInstanceOf(BadAlertSettings);
      said = (error as Error).message;
    }
    expect(said).toContain('alerts.yaml:2:32: channels.ops.address: expected a secret by name');
    expect(said).toContain('from: expected an e-mail address');
    expect(said).toContain('expected no key "colour"');
    expect(said).toContain('channels.Other: expected the name of a channel');
    expect(said.split('\n')).toHaveLength(6);
  });

  test.each([
    ['a: [', /alerts\.yaml:\d+:\d+: /],
    ['default: [x]\ndefault: [y]', /unique/i],
    ['channels: {}\nemail: x', /one of the channels above, not "x"/],
    ['channels:\n  t: { type: teams, address: { secret: t } }\nemail: t', /smtp or azure-email/],
    ['channels:\n  t: { type: pigeon }', /channels\.t/],
    ['a: &a [1]\nb: [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]', /.+/],
    [`x: ${'y'.repeat(300_000)}`, /at most/],
  ])('refuses %j', (text, why) => {
    expect(() => readAlertSettings(text.slice(0, 400_000))).toThrow(why);
  });
});

describe('where messages go', () => {
  const at = (more: Partial<Parameters<typeof routesOf>[0]> = {}) =>
    ({ tier: 'standard', level: 0, cause: 'failed', subject: '', ...more }) as const;
  const own = job('score', { more: 'alerts: { teams: sales-ops, email: [ops@contoso.com] }' });
  const owned = {
    ...job('score'),
    owner: { email: 'dana@contoso.com', department: 'Sales', successor: 'lee@contoso.com' },
  };
  const text = (routes: ReturnType<typeof routesOf>) => routes.map(({ channel, to }) => [channel, ...to].join(' '));

  test('to the channels of the job, and nowhere else', () => {
    expect(text(routesOf(at(), own, settings))).toEqual(['sales-ops', 'mail ops@contoso.com']);
  });
  test('of a job that names none: to its owner and the default', () => {
    expect(text(routesOf(at(), owned, settings))).toEqual(['mail dana@contoso.com', 'it-ops']);
    expect(text(routesOf(at(), owned, { ...settings, email: undefined }))).toEqual(['it-ops']);
  });
  test('of critical jobs to the channels for these as well', () => {
    expect(text(routesOf(at({ tier: 'critical' }), own, settings))).toEqual([
      'sales-ops',
      'mail ops@contoso.com',
      'it-ops',
    ]);
  });
  test('escalated: to the successor, then to the fallback address', () => {
    expect(text(routesOf(at({ level: 1 }), owned, settings))).toContain('mail dana@contoso.com lee@contoso.com');
    expect(text(routesOf(at({ level: 2 }), owned, settings))).toContain(
      'mail dana@contoso.com it@contoso.com lee@contoso.com',
    );
  });
  test('a channel that no one knows is replaced by the default', () => {
    const misspelt = job('score', { more: 'alerts: { teams: sales-opps }' });
    expect(text(routesOf(at(), misspelt, settings))).toEqual(['it-ops']);
    const onlyMail = job('score', { more: 'alerts: { email: [ops@contoso.com] }' });
    expect(text(routesOf(at(), onlyMail, { ...settings, email: undefined }))).toEqual(['it-ops']);
  });
  test('a broken channel is not asked to say so itself', () => {
    expect(text(routesOf(at({ cause: 'channel', subject: 'it-ops' }), undefined, settings))).toEqual(['mail']);
    expect(text(routesOf(at({ cause: 'channel', subject: 'sales-ops' }), undefined, settings))).toEqual(['it-ops']);
  });
  test('without any channel: nowhere', () => {
    expect(routesOf(at(), owned, noAlerts)).toEqual([]);
  });
});
