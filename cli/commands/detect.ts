import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { detect } from '../../shared/drift/detect.ts';

/** `lamp detect`: no store, no network, one series in memory at a time. */

// JSON has no NaN and no Infinity; Python's json writes them all the same.
const words: Record<string, number> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};
const bare = /(?<=[[,:]\s*)(NaN|-?Infinity)(?=\s*[\],}])/g;
const number = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform((word) => words[word] ?? 0)]);

const series = z.object({
  id: z.string(),
  step: z.enum(['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']).nullish(),
  hint: z.enum(['gauge', 'count', 'share', 'mix']).nullish(),
  period: z.number().int().min(0).max(366).nullish(),
  values: z.array(z.union([number, z.null(), z.record(z.string(), z.number())])),
  denominators: z.array(z.number().nullable()).nullish(),
});

export interface Options {
  budget: number;
  metrics: number;
  notes: boolean;
}

/** One line in, one line out. @returns the exit code: 1 when a line could not be read, the others are still judged */
export async function detectLines(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  options: Options,
  report: (problem: string) => void = console.error,
): Promise<number> {
  let line = 0;
  let exitCode = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++;
    if (text.trim() === '') continue;
    const read = parse(text);
    if (typeof read === 'string') {
      report(`line ${line}: ${read}`);
      exitCode = 1;
      continue;
    }
    const budget = { falseAlerts: options.budget, metrics: options.metrics, looks: 365 };
    const found = detect({ ...read, denominators: read.denominators ?? undefined }, budget);
    const flags = options.notes ? found : found.filter(({ kind }) => kind !== 'spike');
    if (!output.write(`${JSON.stringify({ id: read.id, flags })}\n`)) await once(output, 'drain');
  }
  return exitCode;
}

function parse(text: string): z.infer<typeof series> | string {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(bare, '"$1"'));
  } catch (error) {
    return `is no JSON (${(error as Error).message}). Write one object a line: {"id": …, "values": […]}`;
  }
  const read = series.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  return `${issue?.path.join('.') || 'the line'}: ${issue?.message}. Write {"id": …, "hint": "gauge", "values": […]}`;
}
