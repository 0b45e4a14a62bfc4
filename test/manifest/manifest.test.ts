import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { manifestSchema } from '../../shared/manifest/manifest.ts';
import { problemText } from '../../shared/manifest/problem.ts';
import { codes, read, sample } from '../support/cli/manifest.ts';

describe('a manifest', () => {
  it('as in the reference is accepted without a word', () => {
    expect(read(sample).problems).toEqual([]);
  });

  it('may begin with a byte order mark, and may have Windows line ends', () => {
    expect(codes(`\ufeff${sample}`)).toEqual([]);
    expect(codes(sample.replaceAll('\n', '\r\n'))).toEqual([]);
  });

  it('that is no text is refused with the place where it stops being one', () => {
    expect(read(Buffer.concat([Buffer.from('tier: '), Buffer.from([0xff, 0x41])])).problems).toMatchObject([
      { code: 'not-utf8', line: 1, column: 7 },
    ]);
    expect(codes(Buffer.from(`\ufeff${sample}`, 'utf16le'))).toEqual(['not-utf8']);
    expect(read('tier: a\nda\0ta: b').problems).toMatchObject([{ code: 'nul', line: 2, column: 3 }]);
    expect(read('tier: \x1b[31mred').problems).toMatchObject([{ code: 'control-character', line: 1, column: 7 }]);
  });

  it('may have 64 KiB and not a byte more', () => {
    const full = sample.padEnd(64 * 1024, '#'.padEnd(99, ' '));
    expect(codes(full)).toEqual([]);
    expect(codes(`${full} `)).toEqual(['file-too-large']);
  });

  it.each(['[', '{ a: ', '- ', '? '])('nested thousandfold by "%s" is refused, not followed', (mark) => {
    expect(codes(mark.repeat(Math.floor(65_000 / mark.length)))).toEqual(['too-deep']);
  });

  it('with ten thousand mistakes gets the first hundred and their number', () => {
    const many = `${sample}${Array.from({ length: 5_000 }, (_, index) => `x${index}: 1\n`).join('')}`;
    const { problems } = read(many);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toMatchObject({ code: 'more-problems', message: expect.stringContaining('4900 more') });
  });

  it('reports the broken field once, and the healthy ones not at all', () => {
    const { problems } = read(sample.replace('timeout: 15m', 'timeout: soon'));
    expect(problems.map(problemText)).toEqual([
      'job.yaml:9:56  run.timeout: "soon" is no duration; expected a duration from 1s to 24h, such as 30s, 10m, 2h or 1h30m\n' +
        '    write a number and s, m, h or d: 30s, 10m, 2h, 1d, 1h30m',
    ]);
  });

  it('shows long values cut, and makes what would drive a terminal visible', () => {
    const long = read(sample.replace('tier: critical', `tier: ${'x'.repeat(5_000)}`)).problems[0];
    expect(long?.message).toMatch(/^"x{59}…" is not known/);
    const sneaky = read(sample.replace('tier: critical', 'tier: "\\e[31mred\\u202e"')).problems[0];
    expect(sneaky?.message).toContain('U+001B');
    expect(sneaky?.message).not.toMatch(/[\p{C}]/u);
  });
});

describe('mutations of a valid manifest', () => {
  it('never throw, and every complaint has a place inside the text and something to do', () => {
    const random = generator(20261120);
    const pieces = [
      '*x',
      '&x ',
      '<<: ',
      '!!set ',
      '\t',
      '"',
      "'",
      '[',
      ']',
      '{',
      '}',
      ': ',
      '- ',
      '? ',
      '|\n',
      '>',
      '#',
      '%',
      '@',
      '---\n',
      '...\n',
      'null',
      '~',
      '.nan',
      '-.inf',
      '0x1F',
      '1e999',
      '__proto__',
      'constructor',
      'toString',
      '\u{1f600}',
      '\u0000',
      '\ud800',
      '9'.repeat(400),
    ];
    for (let round = 0; round < 1_500; round += 1) {
      let text = sample;
      for (let change = 0; change <= random(4); change += 1) {
        const at = random(text.length + 1);
        const kind = random(4);
        if (kind === 0) text = text.slice(0, at) + text.slice(at + 1 + random(12));
        else if (kind === 1) text = text.slice(0, at) + (pieces[random(pieces.length)] ?? '') + text.slice(at);
        else if (kind === 2)
          text = text.slice(0, at) + text.slice(random(text.length), random(text.length)) + text.slice(at);
        else
          text = text
            .split('\n')
            .toSorted(() => random(3) - 1)
            .join('\n');
      }
      const { manifest, problems } = read(text);
      expect(manifest === undefined, text).toBe(problems.length > 0);
      const lines = text.split('\n');
      for (const { line = 1, column = 1, hint } of problems) {
        expect(line, text).toBeLessThanOrEqual(lines.length);
        expect(column, text).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 2);
        expect(hint, text).toBeTruthy();
      }
    }
  });
});

describe('the published JSON Schema and the reference', () => {
  const published = JSON.parse(readFileSync('infra/job.schema.json', 'utf8'));
  it('is what `node cli/schema.ts` writes today', () => {
    expect(published).toEqual(JSON.parse(JSON.stringify(manifestSchema())));
  });
  it('describes every field, refuses unknown ones on every level, and knows the sample', () => {
    const fields = [...fieldsOf(published)];
    expect(fields.length).toBeGreaterThan(45);
    for (const { path, schema } of fields) expect(schema.description, path).toMatch(/^\p{Lu}.*\.$/u);
    expect(fields.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['run.command', 'schedule.cron', 'metrics.*.min']),
    );
    // Conditions close nothing: they only say what is required when.
    const { if: _if, else: _else, ...closed } = published;
    expect(JSON.stringify(closed).match(/"properties":/g)?.length).toBe(
      JSON.stringify(closed).match(/"additionalProperties":false/g)?.length,
    );
  });
  it('has every field in docs/manifest.md', () => {
    const page = readFileSync('docs/manifest.md', 'utf8');
    for (const { path } of fieldsOf(published))
      expect(page).toContain(`\`${path.replace('metrics.*', 'metrics.<name>')}\``);
  });
  it('goes with an example in docs/manifest.md that is valid', () => {
    const example = /```yaml\n([\s\S]*?)```/.exec(readFileSync('docs/manifest.md', 'utf8'))?.[1] ?? '';
    expect(read(example).problems).toEqual([]);
  });
});

interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
}

function* fieldsOf(schema: Schema, level = ''): Generator<{ path: string; schema: Schema }> {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const path = level ? `${level}.${key}` : key;
    yield { path, schema: child };
    yield* fieldsOf(child, path);
  }
  if (schema.anyOf?.[0]) yield* fieldsOf(schema.anyOf[0], level);
  if (typeof schema.additionalProperties === 'object') yield* fieldsOf(schema.additionalProperties, `${level}.*`);
}

/** Whole numbers below a limit, the same on each run (mulberry32). */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}
