import { z } from 'zod';
import { type Leaves, leavesOf } from '../../drift/canonical.ts';
import type { Outputs } from '../../drift/golden.ts';

/** What the program that replays writes; see replay.py, which keeps its answers within this. */
export const mostReportBytes = 32_000_000;
/** Leaves of one text are taken apart once. */
const kinds = ['late', 'missing', 'failed', 'left'] as const;

const report = z.object({
  version: z.literal(1),
  texts: z.record(z.string(), z.string()),
  replays: z.array(
    z.object({
      example: z.string(),
      repeat: z.number(),
      seconds: z.number().optional(),
      files: z.record(z.string(), z.string()).optional(),
      problem: z.string().optional(),
      kind: z.enum(kinds).optional(),
    }),
  ),
});

/** The answers of one replay run by example; and of each example that gave none, why, and whether that is an answer too. */
export interface Report {
  answers: Map<string, Outputs[]>;
  problems: Map<string, { problem: string; kind: (typeof kinds)[number] }>;
}

/** @throws Error for a text that is no report */
export function readReport(text: string): Report {
  const { texts, replays } = report.parse(JSON.parse(text));
  const known = new Map<string, Leaves>();
  const leaves = (path: string, id: string) => {
    const key = `${path} ${id}`;
    const found = known.get(key) ?? leavesOf(path, texts[id] ?? '');
    known.set(key, found);
    return found;
  };
  const read: Report = { answers: new Map(), problems: new Map() };
  for (const { example, files, problem = 'no answer', kind = 'failed' } of replays) {
    if (!files) read.problems.set(example, read.problems.get(example) ?? { problem, kind });
    else {
      const outputs = new Map(Object.entries(files).map(([path, id]) => [path, leaves(path, id)]));
      read.answers.set(example, [...(read.answers.get(example) ?? []), outputs]);
    }
  }
  return read;
}
