/**
 * A model of local clocks for tests, apart from the program's own: offsets as the platform's `Intl` prints them, every
 * question answered by walking minute by minute.
 */
export interface Model {
  zone: string;
  /** What the clock reads at a whole minute, as the milliseconds of that reading in UTC. */
  wall(at: number): number;
  /** Instants at which the offset changes, ascending. */
  changes: number[];
  /** The offsets, each with the instant that it begins at, ascending. */
  spans: Span[];
}

interface Span {
  from: number;
  offset: number;
}

const minute = 60_000;
const day = 1_440 * minute;

/** Every zone of the platform with its changes from one instant to another. */
export function models(from: number, to: number): Model[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')].map((zone) => modelOf(zone, from, to));
}

export function modelOf(zone: string, from: number, to: number): Model {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  const offset = (at: number) => {
    const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign = '+', hours = '0', minutes = '0'] = /^GMT(?:([+-])(\d\d):(\d\d))?$/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * minute;
  };
  const changes: number[] = [];
  // Ramadan in Morocco is the shortest span between two changes in these years: four weeks and more.
  const step = 7 * day;
  let before = offset(from);
  const spans: Span[] = [{ from, offset: before }];
  for (let at = from; at < to; at += step) {
    const after = offset(at + step);
    if (after === before) continue;
    let [low, high] = [at, at + step];
    while (high - low > minute) {
      const middle = Math.floor((low + high) / 2 / minute) * minute;
      if (offset(middle) === before) low = middle;
      else high = middle;
    }
    changes.push(high);
    spans.push({ from: high, offset: after });
    before = after;
  }
  return {
    zone,
    changes,
    spans,
    wall: (at) => at + (spans.findLast((span) => span.from <= at)?.offset ?? spans[0]?.offset ?? 0),
  };
}

/** The minutes around a change with their readings: 30 hours before it and 54 after. */
export function around({ spans }: Model, change: number): { at: number; wall: number }[] {
  const minutes: { at: number; wall: number }[] = [];
  const from = change - 30 * 60 * minute;
  let span = Math.max(
    spans.findLastIndex((one) => one.from <= from),
    0,
  );
  for (let at = from; at <= change + 54 * 60 * minute; at += minute) {
    // Some million minutes: to look for the span of each takes longer than all that is tested.
    while ((spans[span + 1]?.from ?? Number.POSITIVE_INFINITY) <= at) span += 1;
    minutes.push({ at, wall: at + (spans[span]?.offset ?? 0) });
  }
  return minutes;
}
