import { withoutQueries } from '../text.ts';

/**
 * What Application Insights takes of an item: names of properties and measurements of 150 characters, values of
 * properties of 8,192, 64 KB for the whole (learn.microsoft.com/azure/azure-monitor/service-limits, "Application
 * Insights"). Up to 2017 its documentation spoke of 200 different names in one application; that limit is no longer
 * named, and we keep to 200 measurements in one event.
 */
export const nameLimit = 150;
export const valueLimit = 8_192;
export const itemLimit = 64 * 1_024;
export const measurementLimit = 200;

/** Texts for people are cut here: an event is no place to read a traceback in. */
const textLimit = 1_000;

/**
 * One line that may leave the house: the query of an address goes (signatures are in there), so do characters that show
 * nothing, and what is too long.
 */
export function plain(text: string, most = textLimit): string {
  const line = withoutQueries(text).replace(/[\p{C}\s]+/gu, ' ');
  return cut(line.trim(), most);
}

/** Never between the halves of one character. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = /[\uD800-\uDBFF]/.test(text[most - 2] ?? '') ? most - 2 : most - 1;
  return `${text.slice(0, end)}…`;
}
