import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type AlertSettings, alertSettings } from './settings.ts';

/** Larger than any true one: a file that grows without end is not read as a whole. */
const mostBytes = 256 * 1024;

/** What is wrong with alerts.yaml, all at once. */
export class BadAlertSettings extends Error {
  readonly problems: readonly string[];

  constructor(problems: string[]) {
    super(`alerts.yaml cannot be used:\n${problems.map((one) => `  ${one}`).join('\n')}\nFix it, then start again.`);
    this.name = 'BadAlertSettings';
    this.problems = problems;
  }
}

/** Reads the text of alerts.yaml. @throws BadAlertSettings with every problem and its place */
export function readAlertSettings(text: string, file = 'alerts.yaml'): AlertSettings {
  if (text.length > mostBytes)
    throw new BadAlertSettings([`${file}: ${text.length} characters, expected at most ${mostBytes}`]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new BadAlertSettings(
      document.errors.map((error) => `${place(error.pos[0])}: ${error.message.split('\n')[0]}`),
    );
  }
  const value: unknown = document.toJS({ maxAliasCount: 10 }) ?? {};
  const read = alertSettings.safeParse(value);
  if (read.success) return read.data;
  throw new BadAlertSettings(
    read.error.issues.map((issue) => {
      const at = nearestOffset(document, issue.path);
      return `${at === undefined ? file : place(at)}: ${issue.path.join('.') || 'the file'}: expected ${expectation(issue)}`;
    }),
  );
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `no key "${issue.keys.join('", "')}"`;
  if (issue.code === 'invalid_key')
    return 'the name of a channel such as sales-ops: lower-case letters, digits, hyphens';
  return issue.message.replace(/^Invalid input: expected /, '');
}

/** Where the value is, or the nearest mapping around it. */
function nearestOffset(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
    if (node?.range) return node.range[0];
  }
  return undefined;
}
