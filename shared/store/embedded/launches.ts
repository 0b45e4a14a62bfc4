import type { Instant } from '../../instant.ts';
import { type Launches, readLaunch } from '../launches.ts';
import type { Database } from './database.ts';

const sql = {
  put: 'INSERT INTO launches (text, at, visible) VALUES (?, ?, ?)',
  due: 'SELECT 1 FROM launches WHERE visible <= ? LIMIT 1',
  take: `UPDATE launches SET visible = ?, count = count + 1
         WHERE id IN (SELECT id FROM launches WHERE visible <= ? ORDER BY visible, id LIMIT ?)
         RETURNING id, text, count, at`,
  done: 'DELETE FROM launches WHERE id = ? AND count = ?',
  since: 'SELECT min(at) AS since FROM launches WHERE visible <= ?',
  poison: 'INSERT INTO poison (text) VALUES (?)',
  poisoned: 'SELECT count(*) AS count FROM poison',
};

/**
 * So long before its instant a message can be taken, ms: one that is asked for at that very instant must be there, however
 * clocks round. The one that takes it waits for the rest.
 */
const ahead = 20;

interface Row {
  id: number;
  text: string;
  count: number;
  at: Instant;
}

/** Hands out at once what takers that are gone still hold: acting on a message twice is harmless. */
export async function handOutAgain(db: Database, clock: () => Instant): Promise<void> {
  await db.jot(() =>
    db.statement('UPDATE launches SET visible = ? WHERE count > 0 AND visible > ?').run(clock(), clock()),
  );
}

/** The launch queue: a message that was taken is hidden for a while, and comes again unless it was removed. */
export function embeddedLaunches(db: Database, clock: () => Instant): Launches {
  return {
    async put(message, at, now) {
      const due = Math.max(at, now);
      const text = JSON.stringify({ ...message, at: due });
      // By our own clock, as Azure's queue goes by its own; before the write, which may wait for others.
      const visible = clock() + Math.max(at - now - ahead, 0);
      await db.write(() => db.statement(sql.put).run(text, due, visible));
    },
    async take(count, hiddenSeconds) {
      const now = clock();
      // Asked every second: an empty queue must cost no write.
      if (!(await db.read(() => db.statement(sql.due).get(now)))) return [];
      const most = Math.min(count, 32);
      // A power cut that undoes it only hands the messages out again, as it does when it undoes their removal.
      const rows = (await db.jot(() =>
        db.statement(sql.take).all(now + hiddenSeconds * 1_000, now, most),
      )) as unknown as Row[];
      rows.sort((a, b) => a.at - b.at || a.id - b.id);
      return rows.map(({ id, text, count: times }) => ({
        message: readLaunch(text),
        text,
        count: times,
        async done() {
          // Handed out again meanwhile, or gone: the one that holds it now will remove it.
          await db.jot(() => db.statement(sql.done).run(id, times));
        },
      }));
    },
    async waitingSince(now) {
      const found = await db.read(() => db.statement(sql.since).get(clock()));
      const since = (found as { since: Instant | null }).since;
      return since !== null && since <= now ? since : undefined;
    },
    async putPoison(text) {
      await db.write(() => db.statement(sql.poison).run(text));
    },
    async poisonCount() {
      return Number((await db.read(() => db.statement(sql.poisoned).get()))?.count ?? 0);
    },
  };
}
