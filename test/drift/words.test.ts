import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { attribute } from '../../shared/drift/attribution.ts';
import { chartOf } from '../../shared/drift/chart.ts';
import { pictureOf } from '../../shared/drift/picture.ts';
import { readable, unitOf, valueText } from '../../shared/drift/readable.ts';
import { type Reported, sentenceOf } from '../../shared/drift/sentence.ts';

const day = 86_400_000;
const since = Date.UTC(2026, 6, 14, 7);
const reported: Reported = {
  numbers: {
    metric: 'high_share',
    label: 'the share of high scores',
    kind: 'shift_up',
    share: true,
    before: 0.12,
    low: 0.09,
    high: 0.15,
    after: 0.19,
  },
  others: [],
  since,
  timeZone: 'Europe/London',
  oneIn: 2920,
  runs: 5,
  change: 51,
  replay: { state: 'moved', changed: 7, of: 20 },
  attribution: attribute({
    change: 51,
    changes: [{ kind: 'model', at: 50, text: 'the model changed from scorer-1 to scorer-2' }],
    replay: 'moved',
    inputs: 'still',
  }),
};

describe('the sentence for an owner', () => {
  test('says what, since when, why and what to do', () => {
    expect(sentenceOf(reported)).toBe(
      'Since about Tue 14 Jul 2026 (5 runs so far) the share of high scores has been 19 %. ' +
        'Before, it was usually 12 %; nine of ten runs gave 9 % to 15 %. ' +
        'By chance alone that happens less than once in 2,900 runs. ' +
        'It began one run after the model changed from scorer-1 to scorer-2; ' +
        '7 of 20 frozen examples, whose input is always the same, now get a different answer. That is the likely cause. ' +
        'What to do: Compare a few results from before and after. If the new ones are right, answer "expected"; ' +
        'if they are worse, answer "real" and have the change undone.',
    );
  });

  test('claims no order where the change is on record some runs after the day that the detector names', () => {
    const change = { kind: 'model', at: 53, text: 'the model changed from scorer-1 to scorer-2' } as const;
    const attribution = attribute({ change: 51, changes: [change], replay: 'moved', inputs: 'still' });
    expect(sentenceOf({ ...reported, attribution })).toContain('It began about when the model changed from scorer-1');
  });

  test('says so when nothing changed on our side', () => {
    const attribution = attribute({ change: 51, changes: [], replay: 'still', inputs: 'still' });
    const text = sentenceOf({ ...reported, attribution, replay: { state: 'still', changed: 0, of: 20 } });
    expect(text).toContain(
      'All 20 frozen examples, whose input is always the same, still get the same answer. ' +
        'The job itself was not changed around then: no change of its code, packages, model, secrets or schedule is on record.',
    );
  });

  test('names metrics of the shim as people would', () => {
    expect(readable('output:outbound.csv/score.mean')).toBe('the mean of the column score in outbound.csv');
    expect(readable('output:out/list.csv/rows')).toBe('the number of rows in out/list.csv');
    expect(readable('run:duration_ms')).toBe('the run time');
  });

  test('very large, very small and broken values stay readable', () => {
    expect(valueText(1e18, { share: false })).toBe('1.00e+18');
    expect(valueText(0.00512, { share: true })).toBe('0.51 %');
    expect(valueText(Number.NaN, { share: false })).toBe('NaN');
    expect(valueText(1234.5, { share: false, unit: 'EUR' })).toBe('1,230 EUR');
    expect(valueText(139_200, { share: false, unit: unitOf('run:duration_ms') })).toBe('139 s');
    expect(valueText(5_400_000, { share: false, unit: 'ms' })).toBe('90 minutes');
    expect(valueText(80 * 2 ** 20, { share: false, unit: unitOf('run:peak_memory_bytes') })).toBe('80 MB');
    expect(unitOf('spent_ms')).toBeUndefined();
  });
});

describe('the picture', () => {
  const points = Array.from({ length: 60 }, (_, i) => ({
    slot: since + (i - 50) * day,
    value: i < 50 ? 0.12 + (i % 5) / 200 : 0.19,
  }));
  const picture = {
    title: 'Share',
    share: true,
    timeZone: 'UTC',
    points,
    low: 0.09,
    high: 0.15,
    change: since,
    events: [],
  };

  test('needs nothing from outside and says in words what it shows', () => {
    const svg = pictureOf(picture);
    expect(svg).toContain('aria-label="Share: usual 9 % to 15 %, now 19 %"');
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|<script|<image/);
  });

  test('texts of a job cannot leave their place', () => {
    const svg = pictureOf({
      ...picture,
      title: '"><script>alert(1)</script>',
      events: [{ slot: since, text: '</svg>\u0000&' }],
    });
    expect(svg).not.toContain('<script');
    expect(svg.match(/<\/svg>/g)).toHaveLength(1);
  });

  test('is a small PNG too, for hosts that show no SVG, with rows of the size that it says', () => {
    const png = chartOf({ ...picture, events: [{ slot: since, text: 'the model changed' }] });
    expect(png.length).toBeLessThan(8_000);
    expect(png.readUInt32BE(16)).toBe(960);
    expect(png.readUInt32BE(20)).toBe(400);
    const at = png.indexOf('IDAT');
    const rows = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
    expect(rows.length).toBe(400 * 481);
    // The ground, the band and what is new are there; the fifth colour is the last that is used.
    const used = new Set([...rows].flatMap((byte, i) => (i % 481 === 0 ? [] : [byte >> 4, byte & 15])));
    expect([...used].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('a constant, a single and no point draw without a broken number', () => {
    for (const few of [[], points.slice(0, 1), points.map(({ slot }) => ({ slot, value: 5 }))]) {
      expect(pictureOf({ ...picture, points: few, low: 5, high: 5 })).not.toMatch(/NaN|Infinity/);
      expect(chartOf({ ...picture, points: few, low: 5, high: 5 }).length).toBeLessThan(4_000);
    }
  });
});
