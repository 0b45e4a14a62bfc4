import { describe, expect, it } from 'vitest';
import { durationText, parseDuration } from '../../shared/job/duration.ts';
import { parseSize } from '../../shared/job/size.ts';
import { nameFault, skeleton } from '../../shared/manifest/name.ts';

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
  it.each([
    '',
    '30',
    '1.5h',
    '30m1h',
    '1h1h',
    '-1s',
    '1 h',
    'ms',
    '1H',
    '１s',
    '9999999s',
  ])('"%s" is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
  it('reads sizes in powers of 1024 and of 1000', () => {
    expect(['512Mi', '1Gi', '0.5Gi', '100MB'].map(parseSize)).toEqual([
      536_870_912, 1_073_741_824, 536_870_912, 100_000_000,
    ]);
    expect(['1', '1G', '1 Gi', '1gi', '-1Gi', ''].map(parseSize)).toEqual(Array(6).fill(undefined));
  });
});

describe('names of jobs', () => {
  it.each([
    'a',
    'score-prospects',
    'job2',
    'a-1',
    'x'.repeat(48),
    'console',
    'com',
    'nullable',
  ])('%s is one', (name) => {
    expect(nameFault(name)).toBeUndefined();
  });
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
