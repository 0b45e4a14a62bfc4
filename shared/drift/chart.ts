import { canvas, letterWidth } from './canvas.ts';
import { levelSince, type Picture } from './picture.ts';
import { dayText, valueText } from './readable.ts';

const width = 960;
const height = 400;
const box = { left: 132, right: 944, top: 44, bottom: 348 };
/** Ground, grey of words, band, line, what is new, marks of changes. */
const palette = [0xffffff, 0x59636e, 0xd5e5f7, 0x4a6a8a, 0xc2410c, 0x6d28d9];
const [quiet, band, line, fresh, mark] = [1, 2, 3, 4, 5];

/**
 * The picture of a finding as a PNG of a few kilobytes, for hosts such as Teams that show PNG, JPEG and GIF only. Its
 * title and the names of changes stand in the text beside it.
 */
export function chartOf(picture: Picture): Buffer {
  const { points, low, high, change, timeZone } = picture;
  const known = points.filter(({ value }) => Number.isFinite(value));
  const values = known.map(({ value }) => value);
  const bottom = Math.min(low, ...values);
  const top = Math.max(high, ...values);
  const room = (top - bottom) * 0.08 || Math.abs(top) * 0.1 || 1;
  const first = points[0]?.slot ?? 0;
  const last = points.at(-1)?.slot ?? 1;
  const across = (slot: number) => {
    const share = Math.max(0, Math.min(1, (slot - first) / Math.max(1, last - first)));
    return box.left + share * (box.right - box.left);
  };
  const up = (value: number) =>
    box.bottom - ((value - bottom + room) / (top - bottom + 2 * room)) * (box.bottom - box.top);
  const drawn = canvas(width, height, palette);
  const write = (x: number, y: number, text: string, colour: number, end = false) => {
    const left = end ? x - text.length * letterWidth : x;
    drawn.text(Math.max(2, Math.min(Math.round(left), width - text.length * letterWidth)), Math.round(y), text, colour);
  };
  drawn.box(box.left, up(high), box.right, Math.max(up(low), up(high) + 2), band);
  for (const value of high === low ? [high] : [high, low]) {
    write(box.left - 8, up(value) - 7, valueText(value, picture), quiet, true);
  }
  drawn.line(
    known.map(({ slot, value }) => [across(slot), up(value)] as const),
    2.4,
    line,
  );
  const at = across(change);
  drawn.line(
    [
      [at, box.top - 8],
      [at, box.bottom],
    ],
    2.4,
    fresh,
    10,
  );
  const since = known.filter(({ slot }) => slot >= change);
  for (const { slot, value } of since) drawn.dot(across(slot), up(value), 5, fresh);
  const level = levelSince(picture);
  if (level !== undefined) {
    drawn.line(
      [
        [at, up(level)],
        [box.right, up(level)],
      ],
      3,
      fresh,
    );
  }
  for (const { slot } of picture.events.slice(0, 3)) drawn.dot(across(slot), box.bottom + 8, 6, mark);
  write(at > width / 2 ? at - 10 : at + 10, 12, `began about ${dayText(change, timeZone)}`, fresh, at > width / 2);
  write(box.left, box.bottom + 26, dayText(first, timeZone), quiet);
  write(box.right, box.bottom + 26, dayText(last, timeZone), quiet, true);
  return drawn.png();
}
