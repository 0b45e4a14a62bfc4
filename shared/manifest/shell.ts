/** A shell's own command line. */

export const shells = /^(\/\w+)*\/?(ba|da|k|z)?sh$/;

/** What `sh …` runs: the word after -c, a script, or nothing. A shell that is to read standard input finds it empty. */
export type ShellRuns = { what: 'line' | 'script'; at: number } | { what: 'nothing' };

/**
 * Reads a command as a shell reads it: options come first, also between -c and its word, and some take a word.
 * @param shell its index in the command
 * Source: https://www.gnu.org/software/bash/manual/bash.html#Invoking-Bash
 */
export function whatShellRuns(command: readonly string[], shell: number): ShellRuns {
  let at = shell + 1;
  let letters = '';
  for (; at < command.length; at += 1) {
    const word = command[at] ?? '';
    if (!/^[-+]/.test(word)) break;
    if (word === '--' || word === '-') {
      at += 1;
      break;
    }
    if (/^--(rcfile|init-file)$/.test(word)) at += 1;
    if (word.startsWith('--')) continue;
    if (word.startsWith('-')) letters += word;
    at += word.match(/o/gi)?.length ?? 0;
  }
  if (at >= command.length) return { what: 'nothing' };
  if (letters.includes('c')) return { what: 'line', at };
  return letters.includes('s') ? { what: 'nothing' } : { what: 'script', at };
}

/** Whether a line after -c reads the words that follow it; without that they are ignored. */
export function takesWords(line: string): boolean {
  return /\$([\d@*#]|\{[#!]?[\d@*]|\{#\})|\bgetopts\b|\bfor \w+;? do\b/.test(line);
}
