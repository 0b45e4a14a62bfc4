import type { Finding } from '../drift/finding.ts';
import { pictureOf } from '../drift/picture.ts';
import { readable } from '../drift/readable.ts';
import type { Parts } from '../parts.ts';
import type { Incident } from '../store/incidents.ts';
import { timeZoneOf } from './drift-setting.ts';

/** Findings of a job that are looked through for the one of an incident. */
const recent = 50;

/** The metric of a finding as SVG; undefined: it has no numbers to draw, such as a mix or a metric that was reset. */
export async function findingPicture(
  { store, catalog }: Pick<Parts, 'store' | 'catalog'>,
  finding: Finding,
): Promise<string | undefined> {
  const [sign] = finding.signs;
  if (!sign) return undefined;
  const states = await store.drift.states(finding.job);
  const points = states.find(({ metric }) => metric === sign.metric)?.points ?? [];
  const numbers = points.flatMap(({ slot, value }) => (typeof value === 'number' ? [{ slot, value }] : []));
  if (numbers.length === 0) return undefined;
  const { low, high, share, unit, label } = sign.numbers;
  const timeZone = timeZoneOf(catalog().get(finding.job)?.job);
  const title = label ?? readable(sign.metric);
  const events = (finding.attribution?.candidates ?? []).flatMap(({ change }) =>
    change ? [{ slot: change.slot ?? finding.since, text: change.text }] : [],
  );
  return pictureOf({ title, unit, share, timeZone, points: numbers, low, high, change: finding.since, events });
}

/** The picture of an incident about drift, for its message; undefined: it has none. */
export async function incidentPicture(parts: Parts, { job, cause, subject }: Incident): Promise<string | undefined> {
  if (cause !== 'drift' || job === null) return undefined;
  const finding = (await parts.store.drift.findings(job, recent)).find(({ id }) => id === subject);
  return finding && findingPicture(parts, finding);
}
