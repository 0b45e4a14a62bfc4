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
export function listOf(line: string): string {
  const words = wordsOf(line) ?? ['sh', '-c', line.trim()];
  return `[${words.map(yamlWord).join(', ').slice(0, 200)}]`;
}

/** The words of a line, quotes resolved as a shell does; undefined: something in it only a shell can do. */
export function wordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  const word = /\s*((?:'[^']*'|"(?:[^"\\$`]|\\.)*"|\\[\s"'\\]|[^\s'"$`;&|<>*?~])+)/uy;
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
