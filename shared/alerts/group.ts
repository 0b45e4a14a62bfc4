import type { Instant } from '../instant.ts';
import type { Incident } from '../store/incidents.ts';
import { batchOf, isUnreported } from './incident.ts';
import { groupInterval, remindTogether } from './policy.ts';
import type { Destination } from './route.ts';

/** Incidents that one message reports, before it is split by where it goes. */
export interface Batch<T> {
  key: string;
  members: T[];
}

/** What goes to one place; the eldest first. */
export interface Parcel {
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

/** One message for each group and step; what has been put into one already stays there, and others of its group join it. */
export function batches<T extends { value: Incident }>(due: readonly T[]): Batch<T>[] {
  const found = new Map<string, Batch<T>>();
  const begun = new Map<string, string>();
  for (const { value } of due) {
    const chosen = batchOf(value);
    if (chosen !== null) begun.set(together(value), chosen);
  }
  for (const one of due.toSorted((a, b) => byAge(a.value, b.value))) {
    const { id, step } = one.value;
    const key = batchOf(one.value) ?? begun.get(together(one.value)) ?? `${id}.${step}`;
    begun.set(together(one.value), key);
    const batch = found.get(key);
    if (batch) batch.members.push(one);
    else found.set(key, { key, members: [one] });
  }
  return [...found.values()];
}

function together({ id, group, kind }: Incident): string {
  return group === null ? id : `${group}|${kind}`;
}

/** One parcel for each place that some of these incidents go to. */
export function parcels(incidents: readonly Incident[], routes: (incident: Incident) => Destination[]): Parcel[] {
  const found = new Map<string, Parcel>();
  for (const incident of incidents.toSorted(byAge)) {
    for (const { channel, to } of routes(incident)) {
      for (const address of to.length > 0 ? to : [null]) {
        const key = JSON.stringify([channel, address]);
        const parcel = found.get(key);
        if (parcel) parcel.incidents.push(incident);
        else found.set(key, { channel, to: address, incidents: [incident] });
      }
    }
  }
  return [...found.values()];
}
