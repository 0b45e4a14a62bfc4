import { z } from '@hono/zod-openapi';
import { ApiProblem } from './problem.ts';
import { whole } from './schema.ts';

/** How long a list may get in one answer. */
export const mostPerPage = 500;

export const pageQuery = {
  limit: whole(1, mostPerPage).default(50).openapi({ description: 'How many at most' }),
  cursor: z.string().max(500).optional().openapi({ description: '`next` of the page before; opaque' }),
};

export function pageOf<T extends z.ZodType>(item: T, name: string) {
  return z
    .object({
      items: z.array(item),
      next: z.string().nullable().openapi({ description: 'The cursor of the next page; null: this is the last' }),
    })
    .openapi(name);
}

/** Takes at most `limit` values, and says where the next page begins. @param key names a value for {@link readCursor} */
export async function page<T>(values: AsyncIterable<T>, limit: number, key: (value: T) => string[]) {
  const items: T[] = [];
  for await (const value of values) {
    if (items.length === limit) return { items, next: writeCursor(key(items.at(-1) as T)) };
    items.push(value);
  }
  return { items, next: null };
}

export function writeCursor(key: string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

const cursorText = z.array(z.string()).min(1).max(4);

/** @returns the key of the last value that was sent. @throws ApiProblem when it is no cursor of ours */
export function readCursor(cursor: string | undefined, parts: number): string[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const key = cursorText.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    if (key.length === parts) return key;
  } catch {
    // Said below.
  }
  throw new ApiProblem('no-such-page', 'expected as cursor the `next` of a page: leave it out to begin anew');
}
