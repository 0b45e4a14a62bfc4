/** Programs that run the rest of their command line: `timeout 60 python main.py`. */

interface Wrapper {
  /** Options that stand alone, or bring their value along. */
  alone: RegExp;
  /** Options that take the next word. */
  pair: RegExp;
  /** Words before the program that are no options. */
  words: number;
}

const none = /(?!)/;
const wrappers: Readonly<Record<string, Wrapper>> = {
  // What -C and -S change, the folder and the words, is not looked at.
  env: { alone: /^(-i?|--ignore-environment|-u.+|--unset=.+|[A-Za-z_]\w*=.*)$/s, pair: /^-u$/, words: 0 },
  nice: { alone: /^(-\d+|-n.+|--adjustment=.+)$/, pair: /^(-n|--adjustment)$/, words: 0 },
  nohup: { alone: none, pair: none, words: 0 },
  stdbuf: { alone: /^(-[ioe].+|--(input|output|error)=.+)$/, pair: /^(-[ioe]|--(input|output|error))$/, words: 0 },
  timeout: {
    alone: /^(-v|--verbose|--foreground|--preserve-status|-[ks].+|--(kill-after|signal)=.+)$/,
    pair: /^(-[ks]|--(kill-after|signal))$/,
    words: 1,
  },
};

/**
 * The index of the program that runs in the end. Undefined: a program before it has options that are not understood
 * here, so that what the words behind it mean is not known.
 * Source: https://www.gnu.org/software/coreutils/manual/coreutils.html#Modified-command-invocation
 */
export function programAt(command: readonly string[]): number | undefined {
  let at = 0;
  for (;;) {
    const name = /^(?:\/usr)?(?:\/bin\/)?(\w+)$/.exec(command[at] ?? '')?.[1] ?? '';
    const wrapper = Object.hasOwn(wrappers, name) ? wrappers[name] : undefined;
    if (!wrapper) return at;
    at += 1;
    while (wrapper.alone.test(command[at] ?? '') || wrapper.pair.test(command[at] ?? '')) {
      at += wrapper.alone.test(command[at] ?? '') ? 1 : 2;
    }
    if (command[at] === '--') at += 1;
    else if (command[at]?.startsWith('-')) return undefined;
    at += wrapper.words;
    if (at >= command.length) return undefined;
  }
}
