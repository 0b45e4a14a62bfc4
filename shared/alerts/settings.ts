import { z } from 'zod';
import { channel as channelName, email } from '../manifest/field.ts';

/** `alerts.yaml`: which channels there are, and which messages go where. Addresses and passwords are secrets by name. */

const secretName = z.string().regex(/^[0-9a-zA-Z-]{1,127}$/, 'the name of a secret such as teams-sales-ops');
const secret = z.strictObject({ secret: secretName }, 'a secret by name, such as { secret: teams-sales-ops }');
const host = z
  .string()
  .regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$/, 'a host such as hooks.contoso.com or *.contoso.com');
const https = z.url({ protocol: /^https$/, error: 'an address that begins with https://' });

const teams = z.strictObject({ type: z.literal('teams'), address: secret });
const slack = z.strictObject({ type: z.literal('slack'), address: secret });
const webhook = z.strictObject({ type: z.literal('webhook'), address: secret, signWith: secret.optional() });
const smtp = z.strictObject({
  type: z.literal('smtp'),
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(587),
  /** `required`: STARTTLS or nothing. `implicit`: TLS from the first byte, port 465. `none`: a server on this machine. */
  tls: z.enum(['required', 'implicit', 'none']).default('required'),
  user: z.string().optional(),
  password: secret.optional(),
  from: email,
  to: z.array(email).max(20).default([]),
});
const azureEmail = z.strictObject({
  type: z.literal('azure-email'),
  /** https://<name>.<region>.communication.azure.com; the app's identity needs a role on it. */
  endpoint: https,
  from: email,
  to: z.array(email).max(20).default([]),
});
export const channelSettings = z.discriminatedUnion('type', [teams, slack, webhook, smtp, azureEmail]);
export type ChannelSettings = z.output<typeof channelSettings>;

const names = z.array(channelName).max(20).default([]);

export const alertSettings = z
  .strictObject({
    channels: z.record(channelName, channelSettings).default({}),
    /** Jobs that name no channel, and the service itself. */
    default: names,
    /** Critical jobs, besides their own. */
    critical: names,
    /** Where a message goes when its own channel fails, first to last; and the last step of an escalation. */
    fallback: names,
    /** The channel that carries e-mail addresses of manifests: owner, successor, `alerts.email`. */
    email: channelName.optional(),
    fallbackEmail: email.optional(),
    /** Where people reach this service, for links in messages; without it messages have none. */
    links: z.url().optional(),
    /** Hosts beyond those that Teams, Slack and Azure are known by. */
    hosts: z.array(host).max(50).default([]),
    /** Hosts that may have a private address, and may be reached without TLS. */
    privateHosts: z.array(host).max(20).default([]),
    /** GET after each tick: an outside monitor that misses it raises the alarm. */
    heartbeat: secret.optional(),
  })
  .superRefine((settings, context) => {
    const named = { default: settings.default, critical: settings.critical, fallback: settings.fallback };
    for (const [field, list] of Object.entries({ ...named, email: settings.email ? [settings.email] : [] })) {
      for (const name of list) {
        if (Object.hasOwn(settings.channels, name)) continue;
        context.addIssue({ code: 'custom', path: [field], message: `one of the channels above, not "${name}"` });
      }
    }
    const carrier = settings.email && settings.channels[settings.email];
    if (carrier && carrier.type !== 'smtp' && carrier.type !== 'azure-email') {
      context.addIssue({ code: 'custom', path: ['email'], message: 'a channel of type smtp or azure-email' });
    }
  });
export type AlertSettings = z.output<typeof alertSettings>;

/** Without any channel: incidents are kept and shown, and nothing is sent. */
export const noAlerts: AlertSettings = alertSettings.parse({});

/** Secrets that the settings name, each once. */
export function secretsOf(settings: AlertSettings): string[] {
  const found = new Set<string>();
  for (const one of Object.values(settings.channels)) {
    if ('address' in one) found.add(one.address.secret);
    if ('signWith' in one && one.signWith) found.add(one.signWith.secret);
    if ('password' in one && one.password) found.add(one.password.secret);
  }
  if (settings.heartbeat) found.add(settings.heartbeat.secret);
  return [...found].sort();
}
