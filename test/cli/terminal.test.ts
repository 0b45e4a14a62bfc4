import { styleText } from 'node:util';
import { expect, test } from 'vitest';
import { terminalText } from '../../cli/terminal.ts';
import { visible } from '../../shared/text.ts';

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

test('JSON means the same after it', () => {
  const value = { error: `a${esc}]52;c;x\u0007\u202e\u009b\ud800`, more: 'ü' };
  expect(JSON.parse(terminalText(JSON.stringify(value, null, 2)))).toEqual(value);
});

test('in one line not even a line end is obeyed', () => {
  expect(visible('score failed\n12:00:00 pay succeeded')).toBe('score failed\\u000a12:00:00 pay succeeded');
});
