import { chartOf } from '../drift/chart.ts';
import { isBreach } from '../drift/contract.ts';
import type { Finding } from '../drift/finding.ts';
import { categories, sharesOf } from '../drift/mix.ts';
import { inWords, type Picture, pictureOf } from '../drift/picture.ts';
import { readable } from '../drift/readable.ts';
import type { Point } from '../drift/reading.ts';
import type { Parts } from '../parts.ts';
import type { Incident } from '../store/incidents.ts';
import { timeZoneOf } from './drift-setting.ts';

/** Findings of a job that are looked through for the one of an incident. */
const recent = 50;

/** The metric of a finding as SVG; undefined: it has no numbers to draw, such as a lost column or a metric that was reset. */
export async function findingPicture(
  parts: Pick<Parts, 'store' | 'catalog'>,
  finding: Finding,
): Promise<string | undefined> {
  const figure = await figureOf(parts, finding);
  return figure && pictureOf(figure);
}

/** A picture for the channels of alerts: each takes the form that its host shows. */
export interface Drawn {
  svg: string;
  /** Base64. */
  png: string;
  /** What it shows, for people who do not see it. */
  words: string;
}

/** The picture of an incident about drift, for its message; undefined: it has none. */
export async function incidentPicture(parts: Parts, { job, cause, subject }: Incident): Promise<Drawn | undefined> {
  if (cause !== 'drift' || job === null) return undefined;
  const finding = (await parts.store.drift.findings(job, recent)).find(({ id }) => id === subject);
  const figure = finding && (await figureOf(parts, finding));
  if (!figure) return undefined;
  return { svg: pictureOf(figure), png: chartOf(figure).toString('base64'), words: inWords(figure) };
}

/** What says most and has values; of a mix the category that moved most. */
async function figureOf(
  { store, catalog }: Pick<Parts, 'store' | 'catalog'>,
  finding: Finding,
): Promise<Picture | undefined> {
  const states = new Map((await store.drift.states(finding.job)).map((state) => [state.metric, state]));
  for (const { metric, kind, numbers } of finding.signs) {
    const { low, high, share, unit, category } = numbers;
    const points = valuesOf(states.get(metric)?.points ?? [], category);
    if (isBreach(kind) || points.length === 0) continue;
    const name = numbers.label ?? readable(metric);
    const events = (finding.attribution?.candidates ?? []).flatMap(({ change }) =>
      change ? [{ slot: change.slot ?? finding.since, text: change.text }] : [],
    );
    const timeZone = timeZoneOf(catalog().get(finding.job)?.job);
    const title = category === undefined ? name : `"${category}" in ${name}`;
    return { title, unit, share, timeZone, points, low, high, change: finding.since, events };
  }
  return undefined;
}

function valuesOf(points: readonly Point[], category: string | undefined): Picture['points'] {
  if (category === undefined) {
    return points.flatMap(({ slot, value }) => (typeof value === 'number' ? [{ slot, value }] : []));
  }
  const mixes = points.flatMap(({ slot, value }) => (typeof value === 'number' ? [] : [{ slot, value }]));
  const names = categories(mixes.map(({ value }) => ({ step: 0, value })));
  const at = names.indexOf(category);
  return mixes.map(({ slot, value }) => ({
    slot,
    value: sharesOf(value, at < 0 ? [category] : names)[Math.max(0, at)] ?? 0,
  }));
}
