const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** `30s`, `10m`, `2h`, `1d`, `1h30m`: whole numbers, largest unit first, each unit once. */
export const durationPattern = /^(?=\d)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/;

/** Milliseconds of a duration such as `1h30m`, or undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  const found = durationPattern.exec(text);
  if (!found) return undefined;
  const [, d, h, m, s] = found;
  return Number(d ?? 0) * units.d + Number(h ?? 0) * units.h + Number(m ?? 0) * units.m + Number(s ?? 0) * units.s;
}

/** The shortest way to write milliseconds, rounded down to seconds: 5400000 → `1h30m`. */
export function durationText(ms: number): string {
  let rest = Math.floor(ms / 1_000) * 1_000;
  let text = '';
  for (const [unit, size] of Object.entries(units)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text || '0s';
}

/** What to write instead of something that is no duration. */
export function durationHint(text: string): string {
  const trimmed = text.trim().toLowerCase();
  if (/^\d+$/.test(trimmed)) return `say the unit: write ${trimmed}s or ${trimmed}m`;
  const words = /^(\d+)\s*(s|m|h|d)(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?|ays?)?$/.exec(trimmed);
  if (words) return `write ${words[1]}${words[2]}`;
  if (/^\d+\s*(ms|milli)/.test(trimmed)) return 'whole seconds are the smallest step: write 1s';
  if (/^\d+[.,]\d+[smhd]$/.test(trimmed)) return 'whole numbers only: 1.5h is 1h30m';
  return 'write a number and s, m, h or d: 30s, 10m, 2h, 1d, 1h30m';
}
