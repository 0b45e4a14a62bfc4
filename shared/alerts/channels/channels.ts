import type { TokenCredential } from '@azure/identity';
import { second } from '../../instant.ts';
import type { Vault } from '../../secrets/vault.ts';
import type { AlertSettings, ChannelSettings } from '../settings.ts';
import type { Channel } from './channel.ts';
import { azureEmail } from './email-azure.ts';
import { smtp } from './email-smtp.ts';
import { type Guard, knownHosts } from './guard.ts';
import { slack } from './slack.ts';
import { teams } from './teams.ts';
import { webhook } from './webhook.ts';

/** One message to one channel takes no longer. */
const limitMs = 15 * second;

export interface ChannelParts {
  settings: AlertSettings;
  vault: Pick<Vault, 'read'>;
  /** Undefined: on one machine, where there is no Azure e-mail. */
  credential?: TokenCredential;
  now: () => number;
}

/** All channels of the installation, by name. */
export function openChannels(parts: ChannelParts): ReadonlyMap<string, Channel> {
  const entries = Object.entries(parts.settings.channels);
  return new Map(entries.map(([name, one]) => [name, openChannel(name, one, parts)]));
}

function openChannel(name: string, one: ChannelSettings, { settings, vault, credential, now }: ChannelParts): Channel {
  const secret =
    ({ secret: of }: { secret: string }) =>
    async () =>
      (await vault.read(of)).value.trim();
  const guard = (kind?: keyof typeof knownHosts): Guard => ({
    hosts: [...(kind ? knownHosts[kind] : []), ...settings.hosts],
    privateHosts: settings.privateHosts,
  });
  switch (one.type) {
    case 'teams':
      return teams({ name, address: secret(one.address), guard: guard('teams'), limitMs });
    case 'slack':
      return slack({ name, address: secret(one.address), guard: guard('slack'), limitMs });
    case 'webhook': {
      const signWith = one.signWith && secret(one.signWith);
      return webhook({ name, address: secret(one.address), guard: guard(), limitMs, signWith, now });
    }
    case 'smtp':
      return smtp({ ...one, name, password: one.password && secret(one.password), limitMs });
    case 'azure-email': {
      if (!credential) throw new Error(`channel ${name}: azure-email needs an installation on Azure; use type: smtp`);
      return azureEmail({ ...one, name, credential, guard: guard('azure-email'), limitMs });
    }
  }
}
