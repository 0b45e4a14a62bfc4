import type { Document } from './document.ts';
import { shown } from './literal.ts';
import type { Problem } from './problem.ts';
import { problem } from './rule.ts';

/** Texts that no interpreter reads as they were meant. @param index of the word of `run.command` that names the file */
export function textProblems(document: Document, index: number, file: string, bytes: Buffer): Problem[] {
  const path = ['run', 'command', index];
  const wrong = (code: string, says: string, hint: string) => [
    problem(document, path, code, `${shown(file)} ${says}`, hint),
  ];
  if (isUtf16(bytes)) return wrong('not-utf8', 'is UTF-16; expected UTF-8', 'save it again as UTF-8');
  const [first = ''] = bytes.toString('latin1').split('\n', 1);
  if (/^\xef\xbb\xbf#!/.test(first)) {
    return wrong('byte-order-mark', 'has a byte order mark before its #!', 'save it again as UTF-8 without BOM');
  }
  const shell = /\.(ba|z|k)?sh$/.test(file) || /^#!.*\b(ba|da|z|k)?sh\b/.test(first);
  if ((first.startsWith('#!') || shell) && bytes.includes('\r\n')) {
    const hint = `save it with line ends of Unix: sed -i 's/\\r$//' ${file}, and * text eol=lf in .gitattributes`;
    return wrong('windows-line-ends', 'has line ends of Windows (CR LF), which become a part of its commands', hint);
  }
  return [];
}

export function isUtf16(bytes: Uint8Array): boolean {
  const [a, b] = bytes;
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || bytes.subarray(0, 4_096).includes(0);
}
