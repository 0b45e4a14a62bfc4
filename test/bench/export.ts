import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The contact days of a CRM export (LAMPLIGHTER_PROSPECTS, or ../shared/data/prospects.csv), and how many rows they have. */
export async function readExport(
  limit: string | undefined,
): Promise<{ csv: string; days: string[]; expected: number }> {
  const beside = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'prospects.csv');
  const csv = process.env.LAMPLIGHTER_PROSPECTS ?? beside;
  if (!existsSync(csv)) {
    console.error(`No export at ${csv}: set LAMPLIGHTER_PROSPECTS to a file like it.`);
    process.exit(1);
  }
  const contacts = new Map<string, number>();
  for (const line of (await readFile(csv, 'utf8')).split('\n').slice(1)) {
    const date = line.split(',')[1];
    if (date) contacts.set(date, (contacts.get(date) ?? 0) + 1);
  }
  const days = [...contacts.keys()].sort().slice(0, Number(limit ?? contacts.size));
  return { csv, days, expected: days.reduce((sum, date) => sum + (contacts.get(date) ?? 0), 0) };
}
