import { format } from 'node:util';
import { escaped } from '../shared/text.ts';

/**
 * Colours and weights as styleText writes them (ECMA-48, SGR), nothing that hides text or moves the cursor; or one character
 * that no eye sees. Line ends and tabs are none of them: a call for each of millions of lines takes longer than all else.
 */
const esc = String.fromCharCode(0x1b);
const special = new RegExp(
  `${esc}\\[(?:0|1|2|22|3[0-79]|9[0-7])m|[\\0-\\x08\\v-\\x1f\\x7f-\\x9f\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]`,
  'gu',
);

/** Most texts have none of these, and looking at each of their characters would take longer than all else. */
const unsafe = /[^\n\t\x20-\x7e]/;

/** A text for a terminal: lines, tabs and colours stay, every other control or format character is shown by its code. */
export function terminalText(text: string): string {
  if (!unsafe.test(text)) return text;
  return text.replace(special, (found) => (found.length > 2 ? found : escaped(found)));
}

/** From here on all that this process prints through the console is {@link terminalText}: no command has to remember. */
export function guardConsole(): void {
  for (const name of ['log', 'error', 'warn'] as const) {
    const print = console[name].bind(console);
    console[name] = (...values: unknown[]) => print('%s', terminalText(format(...values)));
  }
}
