const mark = ' What to do: ';

/** What happened and what to do, as one text that is kept and shown as such. */
export function withAdvice(what: string, advice: string): string {
  return `${what}${mark}${advice}`;
}

/** The two again; of a text of an earlier version all is what happened. */
export function splitAdvice(sentence: string): { what: string; advice: string } {
  const at = sentence.lastIndexOf(mark);
  return at < 0
    ? { what: sentence, advice: '' }
    : { what: sentence.slice(0, at), advice: sentence.slice(at + mark.length) };
}
