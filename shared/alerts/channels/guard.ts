import { BlockList, isIP } from 'node:net';
import { ChannelError } from './channel.ts';

/** Hosts that messages may be sent to. The address of a channel is a secret: its owner could name any machine. */
export interface Guard {
  /** Hosts, or `*.` and a domain; a port only where it is not that of the protocol. */
  hosts: readonly string[];
  /** Those of them that may have a private address, and do without TLS. */
  privateHosts: readonly string[];
}

/** Where Teams and Slack take messages: Workflows (new and old), Slack's incoming webhooks. */
export const knownHosts: Record<'teams' | 'slack' | 'azure-email', readonly string[]> = {
  teams: ['*.environment.api.powerplatform.com', '*.logic.azure.com'],
  slack: ['hooks.slack.com', 'hooks.slack-gov.com'],
  'azure-email': ['*.communication.azure.com'],
};

const blocked = new BlockList();
for (const [net, prefix] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    // Azure's wire server answers every virtual machine, under an address that looks public.
    ['168.63.129.16', 32],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['224.0.0.0', 3],
  ] as const),
] as const) {
  blocked.addSubnet(net, prefix, 'ipv4');
}
for (const [net, prefix] of [
  ...([
    ['::', 96],
    ['64:ff9b::', 96],
    ['64:ff9b:1::', 48],
    ['100::', 64],
    ['2001:db8::', 32],
    ['2002::', 16],
  ] as const),
  ...([
    ['fc00::', 7],
    ['fe80::', 10],
    ['fec0::', 10],
    ['ff00::', 8],
  ] as const),
] as const) {
  blocked.addSubnet(net, prefix, 'ipv6');
}

/** Whether an address is of this machine, a private network, a cloud's metadata, or no single host's. */
export function isPrivate(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return blocked.check(mapped, 'ipv4');
  return blocked.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** What may be called at an address, and whether its host may be private. @throws ChannelError, permanent */
export function admit(address: string, { hosts, privateHosts }: Guard): { url: URL; mayBePrivate: boolean } {
  const url = URL.parse(address.trim());
  if (!url) throw new ChannelError('its secret holds no address: store the whole address, https://… included', true);
  const mayBePrivate = privateHosts.some((one) => matches(one, url));
  if (url.protocol !== 'https:' && !(mayBePrivate && url.protocol === 'http:')) {
    throw new ChannelError(`its address begins with ${url.protocol}//: expected https://`, true);
  }
  if (url.username || url.password) throw new ChannelError('its address holds a user name: remove it', true);
  if (!mayBePrivate && !hosts.some((one) => matches(one, url))) {
    throw new ChannelError(`its host ${url.host} is not allowed: add it to hosts in alerts.yaml if it is right`, true);
  }
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (!mayBePrivate && isIP(literal) && isPrivate(literal)) throw privateAddress(url.host);
  return { url, mayBePrivate };
}

export function privateAddress(host: string): ChannelError {
  return new ChannelError(`${host} has a private address: add it to privateHosts in alerts.yaml if it is right`, true);
}

function matches(pattern: string, { host, hostname, port }: URL): boolean {
  const [name = '', wanted = ''] = pattern.toLowerCase().split(':');
  if (wanted !== port && pattern.toLowerCase() !== host) return false;
  return name.startsWith('*.')
    ? hostname.endsWith(name.slice(1)) && hostname.length > name.length - 1
    : hostname === name;
}

/** An address as people may see it: its host and its last four characters. */
export function shown(address: string): string {
  const host = URL.parse(address.trim())?.host ?? 'no address';
  return `${host}/…${address.trim().slice(-4)}`;
}
