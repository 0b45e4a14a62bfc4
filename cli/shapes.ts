import { z } from 'zod';
import type { EventJson, IncidentJson, JobJson, LetterJson, RunJson, SilenceJson } from '../shared/api/json.ts';
import type { findingJson } from '../shared/api/routes/findings.ts';
import type { slotJson } from '../shared/run/preview.ts';

/**
 * What commands need of an answer, checked before it is printed. What is more is kept: an app that is newer than this
 * lamp has more fields, and `--json` prints them.
 */
export function shapeOf<T>(needed: z.ZodRawShape): z.ZodType<T> {
  const schema = z.looseObject(needed);
  // Checked and handed on as it came: a parsed copy would have its fields in another order.
  return z.unknown().superRefine((value, context) => {
    for (const { path, message } of schema.safeParse(value).error?.issues ?? []) {
      context.addIssue({ code: 'custom', path, message });
    }
  }) as unknown as z.ZodType<T>;
}

export interface List<T> {
  items: T[];
  /** Cursor of the next page; null: this is the last. */
  next: string | null;
}

export function listOf<T>(item: z.ZodType<T>): z.ZodType<List<T>> {
  return z.object({ items: z.array(item), next: z.string().nullable().default(null) }) as z.ZodType<List<T>>;
}

const text = z.string();

export const runShape = shapeOf<RunJson>({
  run: text,
  job: text,
  state: text,
  slot: text,
  attempts: z.array(z.looseObject({ number: z.number(), state: text })),
  args: z.array(text),
  metrics: z.looseObject({}),
  outputs: z.array(z.looseObject({ path: text })),
  warnings: z.array(text),
});
export const jobShape = shapeOf<JobJson>({
  job: text,
  status: text,
  schedules: z.array(z.looseObject({ cron: text, timeZone: text })),
  running: z.array(text),
  streak: z.number(),
});
export const eventShape = shapeOf<EventJson>({ at: text, job: text, kind: text, by: text, details: z.looseObject({}) });
export const slotShape = shapeOf<ReturnType<typeof slotJson>>({ job: text, utc: text, local: text, timeZone: text });
export const incidentShape = shapeOf<IncidentJson>({
  id: text,
  state: text,
  severity: text,
  text,
  since: text,
  times: z.number(),
});
export const silenceShape = shapeOf<SilenceJson>({
  id: text,
  scope: z.looseObject({ kind: text }),
  from: text,
  until: text,
});
export const letterShape = shapeOf<LetterJson>({ key: text, channel: text, state: text, createdAt: text });
export type FindingJson = ReturnType<typeof findingJson>;
export const findingShape = shapeOf<FindingJson>({
  id: text,
  job: text,
  state: text,
  since: text,
  sentence: text,
  causes: z.array(z.looseObject({ weight: z.number() })),
});
