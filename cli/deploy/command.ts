/** One command line, as it is run and as it is shown. */
export interface Command {
  argv: [program: string, ...args: string[]];
  /** Below the root of the repository, with forward slashes. */
  folder?: string;
  env?: Record<string, string>;
  /** Long ones: show its messages (`stderr`), or everything, while it runs. */
  live?: 'stderr' | 'all';
}

/** How a person would type it in a shell. */
export function commandText({ argv, folder, env }: Command): string {
  const settings = Object.entries(env ?? {}).map(([name, value]) => `${name}=${shellWord(value)}`);
  const text = [...settings, ...argv.map(shellWord)].join(' ');
  return folder === undefined ? text : `(cd ${shellWord(folder)} && ${text})`;
}

function shellWord(word: string): string {
  // <app> stands for what is known later, and is easier to read without quotes.
  if (/^[\w@%+=:,./<>[\]-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** How cmd.exe must get it: everything quoted, so that & and | are no operators. Our words hold no quotes. */
export function cmdText(words: string[]): string {
  const bad = words.find((word) => /["\r\n]/.test(word));
  if (bad !== undefined) throw new Error(`${JSON.stringify(bad)} cannot be handed to a .cmd program safely`);
  return words.map((word) => `"${word}"`).join(' ');
}
