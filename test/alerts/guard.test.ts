import { describe, expect, test } from 'vitest';
import { admit, isPrivate, knownHosts, shown } from '../../shared/alerts/channels/guard.ts';
import { teams } from '../../shared/alerts/channels/teams.ts';
import { answers, openReceiver } from '../support/alerts/receiver.ts';
import { rudeMessage } from '../support/alerts/story.ts';

const guard = { hosts: [...knownHosts.teams, 'hooks.contoso.com'], privateHosts: ['mattermost.lan:8065'] };

test.each([
  ...['127.0.0.1', '127.8.8.8', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254'],
  ...['100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1', 'fc00::1', 'fd12::1', 'ff02::1'],
  ...['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1'],
  ...['64:ff9b:1::7f00:1', 'fec0::1', '168.63.129.16', 'no address'],
])('%s is private', (address) => expect(isPrivate(address)).toBe(true));

test.each([
  '8.8.8.8',
  '172.32.0.1',
  '192.169.0.1',
  '2606:4700:4700::1111',
  '::ffff:8.8.8.8',
])('%s is public', (address) => expect(isPrivate(address)).toBe(false));

describe('an address is admitted', () => {
  test.each([
    'https://prod-12.westeurope.logic.azure.com:443/workflows/abc/triggers/manual/paths/invoke?sig=x',
    'https://default123.4a.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/abc?sig=x',
    'https://hooks.contoso.com/x',
  ])('%s', (address) => expect(admit(address, guard).mayBePrivate).toBe(false));

  test('when the installation says that its host is private', () => {
    expect(admit('http://mattermost.lan:8065/hooks/abc', guard).mayBePrivate).toBe(true);
  });
});

test.each([
  ['http://hooks.contoso.com/x', 'expected https://'],
  ['https://evil.example/x', 'add it to hosts'],
  ['https://logic.azure.com/x', 'add it to hosts'],
  ['https://logic.azure.com.evil.example/x', 'add it to hosts'],
  ['https://evillogic.azure.com/x', 'add it to hosts'],
  ['https://hooks.contoso.com:8443/x', 'add it to hosts'],
  ['https://user:pass@hooks.contoso.com/x', 'user name'],
  ['http://mattermost.lan/hooks/abc', 'expected https://'],
  ['file:///etc/passwd', 'expected https://'],
  ['hooks.contoso.com/x', 'whole address'],
  ['', 'whole address'],
])('%s is refused: %s', (address, why) => {
  expect(() => admit(address, guard)).toThrow(why);
});

test('a private address in the clear is refused even where its host is allowed', () => {
  const loose = { hosts: ['127.0.0.1', '[::1]', '2130706433'], privateHosts: [] };
  for (const address of ['https://127.0.0.1/x', 'https://2130706433/x', 'https://[::1]/x', 'https://0x7f.1/x']) {
    expect(() => admit(address, loose)).toThrow(/private|not allowed/);
  }
});

test('a public name that leads to a private address is refused where it is connected to', async () => {
  const receiver = await openReceiver(answers.status(200));
  // localhost is what a name of an attacker's would resolve to.
  const address = async () => receiver.url.replace('http:', 'https:').replace('127.0.0.1', 'localhost');
  const port = receiver.host.split(':')[1];
  const channel = teams({
    name: 'x',
    address,
    guard: { hosts: [`localhost:${port}`], privateHosts: [] },
    limitMs: 2_000,
  });
  await expect(channel.send(rudeMessage(), [])).rejects.toMatchObject({ permanent: true, message: /private address/ });
  expect(receiver.received).toHaveLength(0);
  await receiver.close();
});

test('an address is shown by its host and its last four characters', () => {
  expect(shown('https://prod-1.logic.azure.com/workflows/abc?sig=abcdefgh')).toBe('prod-1.logic.azure.com/…efgh');
  expect(shown('nonsense')).toBe('no address/…ense');
});
