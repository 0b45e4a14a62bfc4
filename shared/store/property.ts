import { createHash } from 'node:crypto';
import type { Person } from '../run/run.ts';
import { cut } from '../text.ts';

/**
 * What a string property of a table may hold: 64 KiB of UTF-16, and a little is left for the name
 * (learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model).
 */
export const propertyLimit = 32_000;
const mostUnits = 32_768;

/** A text for people in a row: a reason, an error. The whole of it went out with its event. */
export const textLimit = 4_000;
const nameLimit = 200;

/** A text for people, as long as a row takes it. */
export function briefly<T extends string | null>(text: T): T {
  return (text === null ? null : cut(text, textLimit)) as T;
}

/** Who and why, as long as a row takes them. */
export function brieflyAsked<T extends Person>(asked: T): T {
  return { ...asked, by: cut(asked.by, nameLimit), why: briefly(asked.why) };
}

/**
 * The row as it is, if each of its texts fits. What is no text for people must not be cut: half a list of arguments is
 * another list.
 * @throws RangeError that names the property: the service would only answer PropertyValueTooLarge
 */
export function fits<T extends Record<string, unknown>>(row: T): T {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value !== 'string' || value.length <= mostUnits) continue;
    const where = `${String(row.partitionKey)}, row ${String(row.rowKey)}`;
    throw new RangeError(
      `${name} of ${where} takes ${value.length} characters, and a row holds ${mostUnits}: make it shorter`,
    );
  }
  return row;
}

/** A key holds 512 UTF-16 code units at most; what else is in it must fit as well. */
const keyTextLimit = 300;

/**
 * The part of a row key that stands for an untrusted text, such as the name of a column: characters that a key may not
 * hold, or that separate its parts, become `=` and their code. A long one ends in a digest of the whole.
 */
export function keyText(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9_.:-]/g, (unit) => `=${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (plain.length <= keyTextLimit) return plain;
  return `${plain.slice(0, keyTextLimit - 33)}~${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}
