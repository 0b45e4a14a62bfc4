import type { TokenCredential } from '@azure/identity';
import type { Instant } from '../instant.ts';
import type { Vault } from '../secrets/vault.ts';
import type { Keys } from '../store/keys.ts';
import type { Channel } from './channels/channel.ts';
import { openChannels } from './channels/channels.ts';
import { type AlertLinks, alertLinks } from './links.ts';
import type { AlertSettings } from './settings.ts';

/** What an installation alerts with; put together once, at start-up. */
export interface Alerts {
  settings: AlertSettings;
  channels: ReadonlyMap<string, Channel>;
  /** Left out: messages have no links, and there is no page behind them. */
  links?: AlertLinks;
  /** Address to call after each tick, from the vault; left out: none is. */
  heartbeat?: () => Promise<string>;
}

export interface AlertParts {
  settings: AlertSettings;
  vault: Pick<Vault, 'read'>;
  keys: Keys;
  /** Where people reach the service, when the settings do not say it; undefined: nowhere. */
  address?: string | undefined;
  /** Left out: on one machine, where there is no e-mail by Azure. */
  credential?: TokenCredential;
  now: () => Instant;
}

/** Nothing is read or sent before the first message. @throws Error for a channel that cannot work here */
export function openAlerts({ settings, vault, keys, address, credential, now }: AlertParts): Alerts {
  const base = settings.links ?? address;
  const { heartbeat } = settings;
  return {
    settings,
    channels: openChannels({ settings, vault, ...(credential && { credential }), now }),
    ...(base !== undefined && { links: alertLinks(base, () => keys('links')) }),
    ...(heartbeat && { heartbeat: async () => (await vault.read(heartbeat.secret)).value.trim() }),
  };
}
