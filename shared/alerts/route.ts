import { canaryJob } from '../job/canary.ts';
import type { Job } from '../job/job.ts';
import type { Incident } from '../store/incidents.ts';
import type { AlertSettings } from './settings.ts';

/** One place that a message goes to. */
export interface Destination {
  channel: string;
  /** Addresses, of channels that need them. */
  to: string[];
}

/**
 * Where the messages of an incident go: the channels of the job, else its owner and the default ones; critical jobs
 * have more; an escalation adds the successor, then the fallback address. A channel that does not exist is replaced by
 * the default ones: no message is lost by a name that is misspelt.
 */
export function routesOf(
  incident: Pick<Incident, 'tier' | 'level' | 'cause' | 'subject'>,
  job: Job | undefined,
  settings: AlertSettings,
): Destination[] {
  const wanted = new Map<string, Set<string>>();
  const add = (channel: string, to: readonly string[] = []) => {
    const known = wanted.get(channel) ?? new Set();
    wanted.set(channel, known);
    for (const address of to) known.add(address);
  };
  const mail = (to: readonly string[]) => {
    if (to.length > 0 && settings.email) add(settings.email, to);
  };
  const useDefault = () => {
    for (const name of settings.default) add(name);
  };

  // The canary has no owner: what is wrong with it is wrong with the service.
  if (job && job.name !== canaryJob) ofJob(job, settings, add, mail, useDefault);
  else useDefault();
  // The mailbox of an owner who has left is read by no one.
  if (incident.cause === 'owner' && job) {
    for (const [name, to] of wanted) {
      const before = to.size;
      for (const address of to) if (address.toLowerCase() === incident.subject) to.delete(address);
      if (before > 0 && to.size === 0) wanted.delete(name);
    }
    mail([job.owner.successor ?? settings.fallbackEmail].filter((one) => one !== undefined && one !== null));
  }
  if (wanted.size === 0) useDefault();
  if (incident.tier === 'critical') for (const name of settings.critical) add(name);
  if (incident.level >= 1 && job?.owner.successor) mail([job.owner.successor]);
  if (incident.level >= 2) {
    if (settings.fallbackEmail) mail([settings.fallbackEmail]);
    else for (const name of settings.fallback) add(name);
  }
  // A broken channel cannot say so itself.
  if (incident.cause === 'channel') {
    wanted.delete(incident.subject);
    if (wanted.size === 0) for (const name of [...settings.fallback, ...settings.default]) add(name);
    wanted.delete(incident.subject);
  }
  return [...wanted].map(([channel, to]) => ({ channel, to: [...to].sort() }));
}

/** Where what concerns a job alone goes: its own channels, else its owner. */
export function parcelsOf(job: Job, settings: AlertSettings): { channel: string; to: string | null }[] {
  const routes = routesOf({ tier: 'low-risk', level: 0, cause: 'failed', subject: '' }, job, {
    ...settings,
    default: [],
  });
  return routes.flatMap(({ channel, to }) => {
    const places: (string | null)[] = to.length > 0 ? to : [null];
    return places.map((one) => ({ channel, to: one }));
  });
}

function ofJob(
  { alerts, owner }: Job,
  { channels }: AlertSettings,
  add: (channel: string) => void,
  mail: (to: readonly string[]) => void,
  useDefault: () => void,
) {
  const named = [alerts.teams, alerts.slack].filter((name) => name !== undefined);
  for (const name of named) if (Object.hasOwn(channels, name)) add(name);
  mail(alerts.email);
  const unknown = named.some((name) => !Object.hasOwn(channels, name));
  if (named.length === 0 && alerts.email.length === 0) mail([owner.email]);
  if (unknown || (named.length === 0 && alerts.email.length === 0)) useDefault();
}
