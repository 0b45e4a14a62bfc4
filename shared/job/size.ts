const units: Readonly<Record<string, number>> = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** `512Mi`, `0.5Gi` (powers of 1024) and `100MB` (powers of 1000). */
export const sizePattern = /^(\d{1,9}(?:\.\d{1,2})?)(Ki|Mi|Gi|KB|MB|GB)$/;

/** Bytes of a size such as `512Mi` or `100MB`, or undefined when the text is none. */
export function parseSize(text: string): number | undefined {
  const [, count, unit] = sizePattern.exec(text) ?? [];
  if (count === undefined || unit === undefined) return undefined;
  return Math.round(Number(count) * (units[unit] ?? Number.NaN));
}

/** `1Gi`, `1.5Gi`, `512Mi`: for people. */
export function sizeText(bytes: number): string {
  const unit = bytes >= 1024 ** 3 ? 'Gi' : 'Mi';
  return `${Number((bytes / (units[unit] ?? 1)).toPrecision(4))}${unit}`;
}
