import type { Instant } from '../instant.ts';
import { median } from './median.ts';
import { dayText, valueText } from './readable.ts';

export interface Picture {
  title: string;
  unit?: string | undefined;
  share: boolean;
  timeZone: string;
  points: readonly { slot: Instant; value: number }[];
  /** The range that nine of ten runs before the change lay in. */
  low: number;
  high: number;
  /** The run at which the change begins. */
  change: Instant;
  events: readonly { slot: Instant; text: string }[];
}

const width = 640;
const height = 284;
const box = { left: 66, right: 624, top: 46, bottom: 214 };

/**
 * The metric with the band of its baseline, the change run and what changed around it, as an SVG of a few kilobytes that
 * needs nothing from outside: light by itself, dark where the reader's screen is.
 */
export function pictureOf(picture: Picture): string {
  const { points, low, high } = picture;
  const values = points.map(({ value }) => value).filter(Number.isFinite);
  const bottom = Math.min(low, ...values);
  const top = Math.max(high, ...values);
  const room = (top - bottom) * 0.08 || Math.abs(top) * 0.1 || 1;
  const first = points[0]?.slot ?? 0;
  const last = points.at(-1)?.slot ?? 1;
  const x = (slot: Instant) =>
    clamp(
      box.left + ((slot - first) / Math.max(1, last - first)) * (box.right - box.left),
      box.left,
      box.right,
    ).toFixed(1);
  const y = (value: number) =>
    (box.bottom - ((value - bottom + room) / (top - bottom + 2 * room)) * (box.bottom - box.top)).toFixed(1);
  const format = (value: number) => valueText(value, picture);
  const line = points.filter(({ value }) => Number.isFinite(value)).map(({ slot, value }) => `${x(slot)},${y(value)}`);
  const since = points.filter(({ slot, value }) => slot >= picture.change && Number.isFinite(value));
  const level = levelSince(picture);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(inWords(picture))}" font-family="system-ui, sans-serif" font-size="12">`,
    style,
    `<rect class="paper" width="${width}" height="${height}" rx="6"/>`,
    `<text class="ink" x="16" y="24" font-size="14" font-weight="600">${escaped(shortened(picture.title, 70))}</text>`,
    `<rect class="band" x="${box.left}" y="${y(high)}" width="${box.right - box.left}" height="${Math.max(1, Number(y(low)) - Number(y(high))).toFixed(1)}"/>`,
    tick(high, y, format),
    tick(low, y, format),
    `<text class="quiet" x="${box.left + 4}" y="${(Number(y(low)) - 5).toFixed(1)}">usual range</text>`,
    `<polyline class="line" points="${line.join(' ')}"/>`,
    ...since.map(({ slot, value }) => `<circle class="new" cx="${x(slot)}" cy="${y(value)}" r="2.6"/>`),
    level === undefined
      ? ''
      : `<line class="level" x1="${x(picture.change)}" x2="${box.right}" y1="${y(level)}" y2="${y(level)}"/>`,
    `<line class="change" x1="${x(picture.change)}" x2="${x(picture.change)}" y1="${box.top - 8}" y2="${box.bottom}"/>`,
    ...labelled(picture.change, `began about ${dayText(picture.change, picture.timeZone)}`, x),
    ...picture.events.slice(0, 3).flatMap(({ slot, text }, i) => event(slot, text, x, i)),
    `<text class="quiet" x="${box.left}" y="${box.bottom + 16}">${escaped(dayText(first, picture.timeZone))}</text>`,
    `<text class="quiet" x="${box.right}" y="${box.bottom + 16}" text-anchor="end">${escaped(dayText(last, picture.timeZone))}</text>`,
    '</svg>',
  ]
    .filter(Boolean)
    .join('\n');
}

/** What the picture shows, for people who do not see it. */
export function inWords(picture: Picture): string {
  const level = levelSince(picture);
  const now = level === undefined ? '' : `, now ${valueText(level, picture)}`;
  return `${picture.title}: usual ${valueText(picture.low, picture)} to ${valueText(picture.high, picture)}${now}`;
}

/** The median since the change; undefined: there is no value since. */
export function levelSince({ points, change }: Picture): number | undefined {
  const since = points.filter(({ slot, value }) => slot >= change && Number.isFinite(value));
  return since.length > 0 ? median(since.map(({ value }) => value)) : undefined;
}

const style = `<style>
.paper{fill:#fff}.ink{fill:#1f2328}.quiet{fill:#59636e}.band{fill:#d5e5f7}.line{fill:none;stroke:#4a6a8a;stroke-width:1.3}
.new{fill:#c2410c}.level{stroke:#c2410c;stroke-width:1.6}.change{stroke:#c2410c;stroke-width:1.2;stroke-dasharray:4 3}.warm{fill:#c2410c}
.mark{fill:#6d28d9}
@media (prefers-color-scheme:dark){.paper{fill:#161b22}.ink{fill:#e6edf3}.quiet{fill:#9aa4af}.band{fill:#1e3a5a}.line{stroke:#8fb3d9}
.new,.warm{fill:#fb923c}.level,.change{stroke:#fb923c}.mark{fill:#c4b5fd}}
</style>`;

function tick(value: number, y: (value: number) => string, format: (value: number) => string): string {
  return `<text class="quiet" x="${box.left - 6}" y="${(Number(y(value)) + 4).toFixed(1)}" text-anchor="end">${escaped(format(value))}</text>`;
}

function labelled(slot: Instant, text: string, x: (slot: Instant) => string): string[] {
  const at = Number(x(slot));
  const end = at > width / 2;
  return [
    `<text class="warm" x="${end ? at - 5 : at + 5}" y="${box.top - 1}" text-anchor="${end ? 'end' : 'start'}">${escaped(text)}</text>`,
  ];
}

function event(slot: Instant, text: string, x: (slot: Instant) => string, row: number): string[] {
  const at = Number(x(slot));
  const end = at > width / 2;
  const y = box.bottom + 28 + row * 15;
  return [
    `<path class="mark" d="M${at} ${y - 5}l4 5 -4 5 -4 -5z"/>`,
    `<text class="mark" x="${end ? at - 8 : at + 8}" y="${y + 4}" text-anchor="${end ? 'end' : 'start'}">${escaped(shortened(text, 60))}</text>`,
  ];
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

function shortened(text: string, limit: number): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, ' ');
  return plain.length <= limit ? plain : `${plain.slice(0, limit - 1).trimEnd()}…`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}]/gu, ' ').replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
