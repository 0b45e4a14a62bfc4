/** Command lines as people type them, and as a list of YAML takes them. */

/** A word as a flow list takes it. */
export function yamlWord(word: string): string {
  return /^[\w./@-]*[A-Za-z_][\w./@-]*$/.test(word) ? word : JSON.stringify(word);
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w./@=:,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Words as one line for a shell: blanks and quotes are kept, and what joins commands joins them. */
export function lineOf(words: readonly string[]): string {
  return words.map((word) => (/[\s'"]/.test(word) ? quoted(word) : word)).join(' ');
}

/** The list that means what the line says; a shell reads it where only a shell can. At most 200 characters of it. */
export function listOf(text: string): string {
  const line = inForeground(text.replace(/\\\r?\n\s*/g, ' ').trim());
  return listText(wordsOf(line) ?? shellWords(line));
}

/**
 * The list with which a shell reads the line. It ends as a failure when one of the commands in it has failed.
 * @param shell and what stands before it
 */
export function shellList(text: string, shell: readonly string[] = ['sh']): string {
  return listText(shellWords(inForeground(text.trim()), shell));
}

function listText(words: readonly string[]): string {
  return `[${words.map(yamlWord).join(', ').slice(0, 200)}]`;
}

/** What is quoted, what redirects, and what joins commands. */
const parts = /'[^']*'|"(?:[^"\\]|\\.)*"|\\.|\d?[<>]+[&|]|&>>?|&&|\|\||\|&?|;|&|\n/gsu;

function shellWords(line: string, shell: readonly string[] = ['sh']): string[] {
  const joins = new Set(line.match(parts));
  // Only bash can say that one program of a pipe has failed.
  if (joins.has('|') || joins.has('|&')) return [...shell.slice(0, -1), 'bash', '-eo', 'pipefail', '-c', line];
  return [...shell, ['&&', ';', '\n'].some((one) => joins.has(one)) ? '-ec' : '-c', line];
}

/** The line without what keeps it running in the background: the service waits for the job, and ends what is left. */
function inForeground(line: string): string {
  if (!line.match(parts)?.includes('&')) return line;
  const rest = line.replace(/^nohup\s+|([;&|]\s*)nohup\s+/g, '$1').replace(/\s*&$/, '');
  return rest.replace(parts, (part) => (part === '&' ? ';' : part)).replace(/\s+;/g, ';');
}

/** The words of a line, quotes resolved as a shell does; undefined: something in it only a shell can do. */
export function wordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  const word = /[^\S\n]*((?:'[^']*'|"(?:[^"\\$`]|\\.)*"|\\[\s"'\\]|[^\s'"$`;&|<>*?~])+)/uy;
  const rest = line.trimEnd();
  while (word.lastIndex < rest.length) {
    const found = word.exec(rest)?.[1];
    if (found === undefined) return undefined;
    words.push(
      found.replace(
        /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\([\s"'\\])/g,
        (_, single, double, one) => single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? one,
      ),
    );
  }
  return words[0] && /^\w+=|^(cd|source|\.|export|set|if|for|while)$/.test(words[0]) ? undefined : words;
}
