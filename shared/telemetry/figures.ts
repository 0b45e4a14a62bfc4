import { createHash } from 'node:crypto';
import type { Run } from '../run/run.ts';
import { cut, itemLimit, measurementLimit, nameLimit } from './limits.ts';

/** Of the item; the rest is for texts. */
const roomBytes = itemLimit / 2;

/**
 * What a run reported of itself as measurements: numbers first, then rows of outputs, then counts by category, the most
 * frequent first, as many as an event takes.
 * @param taken measurements that the event has already
 */
export function figures({ metrics, outputs }: Pick<Run, 'metrics' | 'outputs'>, taken: number) {
  const numbers: [string, number][] = [];
  const counts: [string, number][] = [];
  for (const [name, value] of Object.entries(metrics)) {
    if (typeof value === 'number') numbers.push([`metric.${name}`, value]);
    else for (const [category, count] of Object.entries(value)) counts.push([`metric.${name}.${category}`, count]);
  }
  counts.sort(([, a], [, b]) => b - a);
  const rows = outputs.flatMap(({ path, rows }): [string, number][] => {
    return rows === null ? [] : [[`output.${path}.rows`, rows]];
  });
  const all = [...numbers, ...rows, ...counts].filter(([, value]) => Number.isFinite(value));
  const measurements = new Map<string, number>();
  let bytes = 0;
  for (const [name, value] of all) {
    if (taken + measurements.size >= measurementLimit) break;
    const safe = safeName(name);
    bytes += Buffer.byteLength(JSON.stringify([safe, value]));
    if (bytes > roomBytes) break;
    // `a.b` and the category b of `a` are the same name: the first stays.
    if (!measurements.has(safe)) measurements.set(safe, value);
  }
  return { measurements: Object.fromEntries(measurements), leftOut: all.length - measurements.size };
}

/** Two long names that begin alike stay two. */
function safeName(name: string): string {
  const visible = name.replace(/[\p{C}\s]+/gu, ' ').trim();
  if (visible.length <= nameLimit) return visible;
  const mark = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${cut(visible, nameLimit - mark.length)}${mark}`;
}
