import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { durationText, parseDuration } from '../shared/duration.ts';
import { manifestSchema } from '../shared/manifest.ts';
import { nameFault, skeleton } from '../shared/name.ts';
import { problemText } from '../shared/problem.ts';
import { readManifest } from '../shared/reading.ts';
import { parseSize } from '../shared/size.ts';

const sample = `# yaml-language-server: $schema=../../infra/job.schema.json
description: Scores yesterday's prospects and writes the outbound list.
owner: { email: dana@contoso.com, department: Sales, successor: lee@contoso.com }
tier: critical
data: internal
builtWith: { tool: Claude Code, version: "2.1" }
status: production
schedule: { cron: "0 7 * * 1-5", timeZone: Europe/London, catchUp: latest, mustStartWithin: 10m, mustFinishBy: "07:45" }
run: { command: [python, score_prospects.py], timeout: 15m, overlap: forbid, cpu: 0.5, memory: 1Gi }
env: { CRM_URL: https://crm.contoso.com, LIMIT: 50 }
secrets: { CRM_API_KEY: crm-api-key }
retry: { attempts: 3, backoff: exponential, delay: 30s, maxDelay: 10m }
inputs: [pull-prospects/prospects.csv]
outputs: [outbound.csv]
metrics:
  rows_scored: { min: 1 }
  mean_score: { drift: normal }
alerts: { teams: sales-ops, email: [sales-ops@contoso.com] }
`;
const read = (text: string | Uint8Array) =>
  readManifest(typeof text === 'string' ? Buffer.from(text) : text, 'job.yaml');
const codes = (text: string | Uint8Array) => read(text).problems.map(({ code }) => code);

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

describe('secrets written into a manifest', () => {
  // Put together here, so that no scanner takes this file for a leak.
  const tokens: [string, string][] = [
    ['an API key', `sk-${'proj0'.repeat(5)}`],
    ['an API key', `sk_${'live0'.repeat(5)}`],
    ['a GitHub token', `ghp_${'a1B2'.repeat(9)}`],
    ['a GitHub token', `github_pat_${'a1B2'.repeat(9)}`],
    ['an AWS access key', `AKIA${'Z7Q4'.repeat(4)}`],
    ['a Slack token', `xoxb-${'12345678'}-abcdef`],
    ['a JSON web token', `eyJ${'hbGciOiJIUzI1NiJ9'}.eyJ${'zdWIiOiJ4In0'}.c2lnbmF0dXJl`],
    ['a storage or bus account key', `AccountName=x;AccountKey=${'Zm9v'.repeat(6)}==`],
    ['a private key or certificate', `-----BEGIN ${'RSA PRIVATE KEY'}-----`],
    ['a signed URL', `https://x.blob.core.windows.net/c?sv=1&sig=${'abcd1234'}%3D`],
    ['an address with a password in it', `postgres://crm:${'hunter2'}@db/crm`],
    ['a Slack webhook', `https://hooks.slack.com/services/${'T0/B0/abcdefgh'}`],
  ];
  it.each(tokens)('%s is found in any value and in comments, and never shown: %#', (what, token) => {
    for (const text of [
      sample.replace('LIMIT: 50', `LIMIT: "${token}"`),
      sample.replace('score_prospects.py]', `score_prospects.py, "${token}"]`),
      sample.replace('crm-api-key', `"${token}"`),
      sample.replace('tier: critical', `tier: critical  # was ${token}`),
      sample.replace('teams: sales-ops', `teams: "${token}"`),
    ]) {
      const { problems } = read(text);
      expect(problems.map(({ code }) => code)).toEqual(['literal-secret']);
      expect(problems[0]?.message).toContain(what);
      expect(problems[0]?.hint).toMatch(/Key Vault.*secrets: \{ NAME: name-in-the-vault \}/);
      expect(JSON.stringify(problems)).not.toContain(token.slice(-8));
    }
  });

  it('is not shown either when the YAML around it is broken', () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    const { problems } = read(`env: { X: ${token}\ntier: [`);
    expect(problems.map(({ code }) => code)).toContain('literal-secret');
    expect(JSON.stringify(problems)).not.toContain(token);
  });

  it.each(['9f8e7d6c5b4a39281706f5e4d3c2b1a0', '0b2c3f60-1f2e-4d5c-8a9b-0c1d2e3f4a5b', 'Zk3vT9qLm2Xw8RbY5nPd'])(
    'under secrets, %s is taken for a value although a vault would allow it as a name',
    (value) => {
      expect(codes(sample.replace('crm-api-key', value))).toEqual(['literal-secret']);
    },
  );

  it.each(['API_KEY', 'crmToken', 'DB_PWD', 'CLIENT_SECRET', 'STORAGE_CONNECTION_STRING', 'AZURE_CREDENTIALS'])(
    'a plain variable called %s is refused',
    (name) => {
      expect(codes(sample.replace('LIMIT: 50', `${name}: something`))).toEqual(['literal-secret']);
    },
  );

  it.each([
    'MAX_TOKENS: 4096',
    'KEY_VAULT_URL: https://v.example',
    'KEYWORDS: a',
    'MONKEY: x',
    'KEY_FILE: k.pem',
    'API_KEY: ""',
  ])('a plain variable that only sounds like it is fine: %s', (line) => {
    expect(codes(sample.replace('LIMIT: 50', line))).toEqual([]);
  });

  it.each(['crm-api-key', 'CrmApiKey2', 'sk-service-key', 'prod-2026-sendgrid-key'])(
    '%s is a name, not a secret',
    (name) => {
      expect(codes(sample.replace('crm-api-key', name))).toEqual([]);
    },
  );
});

describe('durations and sizes', () => {
  it.each([
    ['30s', 30_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1h30m', 5_400_000],
    ['1d1s', 86_401_000],
  ])('%s is %i ms, there and back', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(durationText(ms)).toBe(text);
  });
  it.each(['', '30', '1.5h', '30m1h', '1h1h', '-1s', '1 h', 'ms', '1H', '１s', '9999999s'])(
    '"%s" is no duration',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
  it('reads sizes in powers of 1024 and of 1000', () => {
    expect(['512Mi', '1Gi', '0.5Gi', '100MB'].map(parseSize)).toEqual([
      536_870_912, 1_073_741_824, 536_870_912, 100_000_000,
    ]);
    expect(['1', '1G', '1 Gi', '1gi', '-1Gi', ''].map(parseSize)).toEqual(Array(6).fill(undefined));
  });
});

describe('names of jobs', () => {
  it.each(['a', 'score-prospects', 'job2', 'a-1', 'x'.repeat(48), 'console', 'com', 'nullable'])(
    '%s is one',
    (name) => {
      expect(nameFault(name)).toBeUndefined();
    },
  );
  it.each([
    ['../x', 'unsafe-name', /meaning of its own/],
    ['..', 'unsafe-name', /./],
    ['__proto__', 'unsafe-name', /./],
    ['constructor', 'unsafe-name', /meaning of its own to a program/],
    ['prototype', 'unsafe-name', /./],
    ['con', 'unsafe-name', /./],
    ['lpt1', 'unsafe-name', /./],
    ['x'.repeat(49), 'name-too-long', /49 characters; expected at most 48/],
    ['Score Prospects', 'bad-name', /no job name/],
    ['a--b', 'bad-name', /./],
    ['-a', 'bad-name', /./],
    ['a_b', 'bad-name', /./],
    ['1a', 'bad-name', /./],
    ['', 'bad-name', /./],
    ['sсore', 'look-alike-character', /"с" \(U\+0441, Cyrillic, looks like the letter c\)/],
    ['scοre', 'look-alike-character', /U\+03BF, Greek, looks like the letter o/],
    ['ｓcore', 'look-alike-character', /U\+FF53, Latin, looks like the letter s/],
    ['sco\u200bre', 'look-alike-character', /U\+200B \(invisible\)/],
    ['scoré', 'look-alike-character', /U\+00E9, Latin, looks like the letter e/],
  ])('"%s" is refused as %s', (name, code, message) => {
    expect(nameFault(name)).toMatchObject({ code, message: expect.stringMatching(message) });
  });
  it('suggests the name that was probably meant', () => {
    expect(nameFault('Score_Prospects')?.hint).toBe('call the folder score-prospects');
    expect(nameFault('sсore-prοspects')?.hint).toBe('call the folder score-prospects');
  });
  it('has one skeleton for names that look alike', () => {
    const alike = [
      ['score-b1ll', 'scorebill'],
      ['o0', '0o'],
      ['modern', 'modem'],
      ['vvin', 'win'],
      ['sa1e5', 'sales'],
      ['a-r-n', 'am'],
    ];
    for (const [a = '', b = ''] of alike) expect(skeleton(a)).toBe(skeleton(b));
    expect(skeleton('pull-prospects')).not.toBe(skeleton('push-prospects'));
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
    expect(JSON.stringify(published).match(/"properties":/g)?.length).toBe(
      JSON.stringify(published).match(/"additionalProperties":false/g)?.length,
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
