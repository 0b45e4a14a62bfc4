import type { Instant } from '../instant.ts';
import type { Incident } from '../store/incidents.ts';
import { isUnreported } from './incident.ts';
import { groupInterval, remindTogether } from './policy.ts';
import type { Destination } from './route.ts';

/** Incidents that go into one message to one place; the first gives it its key and its thread. */
export interface Batch {
  channel: string;
  /** Of a channel that needs one. */
  to: string | null;
  incidents: [Incident, ...Incident[]];
}

/** The eldest first; at one instant that of the service itself, whose outage the others come from. */
export function byAge(a: Incident, b: Incident): number {
  const rank = (one: Incident) => (one.job === null ? 0 : 1);
  return a.openedAt - b.openedAt || rank(a) - rank(b) || (a.id < b.id ? -1 : 1);
}

/**
 * Which incidents are reported now: those whose time has come. Who joins a group that was reported a moment ago waits for
 * others that join it.
 */
export function dueNow(all: readonly Incident[], now: Instant): Incident[] {
  const groups = Map.groupBy(all, ({ group }) => group);
  return all.filter((incident) => {
    if (!isUnreported(incident) || incident.reportAt > now) return false;
    if (incident.group === null || incident.kind !== 'opened') return true;
    const others = (groups.get(incident.group) ?? []).filter(({ id }) => id !== incident.id);
    return others.every(({ reportedAt }) => reportedAt === null || now >= reportedAt + groupInterval);
  });
}

/** By how much a reminder of this incident may come early: as long as another of its group is due now. */
export function slackOf(incident: Incident, due: ReadonlySet<string>): number {
  return incident.group !== null && due.has(incident.group) ? remindTogether : 0;
}

/** One message for each group and step, and each place that some of its incidents go to. */
export function batches(incidents: readonly Incident[], routes: (incident: Incident) => Destination[]): Batch[] {
  const found = new Map<string, Batch>();
  for (const incident of incidents.toSorted(byAge)) {
    const over = incident.state === 'resolved' && incident.kind === 'resolved';
    const together = incident.group === null ? incident.id : `${incident.group}|${over ? 'over' : incident.kind}`;
    for (const { channel, to } of routes(incident)) {
      for (const address of to.length > 0 ? to : [null]) {
        const key = JSON.stringify([together, channel, address]);
        const batch = found.get(key);
        if (batch) batch.incidents.push(incident);
        else found.set(key, { channel, to: address, incidents: [incident] });
      }
    }
  }
  return [...found.values()];
}
