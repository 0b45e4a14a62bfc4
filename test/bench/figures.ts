/** The value below which `share` of the values lie; of an empty list NaN. @param sorted ascending */
export function quantile(sorted: number[], share: number): number {
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}

export function median(values: number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

export const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
export const millis = (ms: number) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
export const perMinute = (count: number, ms: number) => Math.round((count / ms) * 60_000);
export const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

/** One line of the report: what, the figure, beside what, and whether the aim is met. */
export function line(what: string, figure: string, aim?: { text: string; met: boolean }): void {
  const verdict = aim === undefined ? '' : `   ${aim.met ? '✓' : '✗ NOT MET'}  aim: ${aim.text}`;
  console.log(`  ${what.padEnd(34)} ${figure}${verdict}`);
}
