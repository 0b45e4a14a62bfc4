import { styleText } from 'node:util';
import { expect, test } from 'vitest';
import { terminalText } from '../../cli/terminal.ts';
import { visible } from '../../shared/text.ts';
import { numbers } from '../support/pipeline/random.ts';

const esc = String.fromCharCode(0x1b);

test.each([
  ['writes the clipboard (OSC 52)', `a${esc}]52;c;aGk=${String.fromCharCode(7)}b`, 'a\\u001b]52;c;aGk=\\u0007b'],
  ['clears the screen', `${esc}[2J${esc}[H`, '\\u001b[2J\\u001b[H'],
  ['hides what follows', `${esc}[8mgone`, '\\u001b[8mgone'],
  ['uses the 8-bit introducer', '\u009b2J', '\\u009b2J'],
  ['goes back over its line', 'failed\rsucceeded', 'failed\\u000dsucceeded'],
  ['rejoins when a part is taken out', `${esc}${esc}[31m[2J`, `\\u001b${esc}[31m[2J`],
  ['reorders what is read', 'user\u202egnp.exe', 'user\\u202egnp.exe'],
  ['isolates a direction', '\u2066x\u2069', '\\u2066x\\u2069'],
  ['hides in a zero-width character', 'pay\u200bpal', 'pay\\u200bpal'],
  ['hides in a tag character', 'x\u{e0041}', 'x\\udb40\\udc41'],
  ['has half a pair', 'x\ud800', 'x\\ud800'],
  ['begins a line of its own', 'x\u2028y', 'x\\u2028y'],
])('a text that %s is shown, not obeyed', (_, hostile, shown) => {
  expect(terminalText(hostile)).toBe(shown);
});

test('lines, tabs, letters of all scripts and our own colours stay', () => {
  const text = `Zürich\t東京\nשלום 👍 ${styleText('red', 'failed', { validateStream: false })}`;
  expect(terminalText(text)).toBe(text);
});

test('whatever is put together: colours stay, all else is shown unit by unit', () => {
  const random = numbers(5);
  const parts = [...['[31m', '[0m', '[2J', '[8m'].map((end) => esc + end), esc, '[31m', 'm', '\n', '\t', '\r', '\0'];
  parts.push(...['é', '東', '👍', '\u{e0041}', '\ud800', '\udc00', '\u200b', '\u202e', '\u2028', '\u0085', 'x', '31']);
  const colour = new RegExp(`(${esc}\\[(?:31|0)m)`);
  for (let round = 0; round < 20_000; round += 1) {
    const text = Array.from({ length: 8 }, () => parts[Math.floor(random() * parts.length)]).join('');
    const shown = text.split(colour).map((piece, at) => (at % 2 === 1 ? piece : visible(piece, '\n\t')));
    if (terminalText(text) !== shown.join('')) expect(terminalText(text)).toBe(shown.join(''));
  }
});

test('JSON means the same after it', () => {
  const value = { error: `a${esc}]52;c;x\u0007\u202e\u009b\ud800`, more: 'ü' };
  expect(JSON.parse(terminalText(JSON.stringify(value, null, 2)))).toEqual(value);
});

test('in one line not even a line end is obeyed', () => {
  expect(visible('score failed\n12:00:00 pay succeeded')).toBe('score failed\\u000a12:00:00 pay succeeded');
});
