import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importHistory } from '../../cli/archive/read.ts';
import { exportHistory } from '../../cli/archive/write.ts';
import { verifyAudit } from '../../shared/actions/verify-audit.ts';
import { day } from '../../shared/instant.ts';
import type { AuditEntry } from '../../shared/run/audit-chain.ts';
import { newJobRow } from '../../shared/run/job-row.ts';
import { type Audit, audit, broughtCodec, placedCodec } from '../../shared/store/audit.ts';
import { openEmbedded } from '../../shared/store/embedded/store.ts';
import type { KeptStore } from '../../shared/store/store.ts';
import { bothStores } from '../support/cli/history.ts';
import { seven } from '../support/pipeline/cast.ts';
import { freshFolder } from '../support/storage/account.ts';

/** The chain of a store stays whole, whatever comes between an import and a host. */

const now = seven + 30 * day;
const enter = ({ events }: KeptStore, why: string) =>
  events.append({ job: 'score', at: seven, kind: 'paused', by: 'dana', why, details: {} });

async function entries({ audit }: KeptStore): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  for await (const { entry } of audit.list({ from: 1, to: 9_999 }, () => {})) found.unshift(entry);
  return found;
}

const broken = async (store: KeptStore) => (await verifyAudit({ store }, {}, now)).broken;

test.each(bothStores)('a chain of %s is left as it is by entries that do not fit, to the last', async (_, open) => {
  const [here, there] = [await open(), await open()];
  for (let at = 0; at < 5; at++) await enter(here, `here ${at}`);
  for (let at = 0; at < 2; at++) await enter(there, `there ${at}`);
  const before = await entries(there);
  expect(await there.audit.bring(null, await entries(here))).toEqual({ added: 0, conflict: 1 });
  expect(await entries(there)).toEqual(before);
  expect(await broken(there)).toEqual([]);
});

test.each(bothStores)('a host that writes first during an import into %s has its chain whole', async (_, open) => {
  const [here, there] = [await open(), await open()];
  for (let at = 0; at < 5; at++) await enter(here, `here ${at}`);
  await here.jobs.insert(newJobRow('score', seven));
  const path = join(freshFolder(), 'history.tar.gz');
  await exportHistory(here, path, { jobs: [], since: undefined, now });
  const bring: Audit['bring'] = async (id, some) => {
    await enter(there, 'of a host');
    return there.audit.bring(id, some);
  };
  const raced = { ...there, audit: { ...there.audit, bring } };
  await expect(importHistory(raced, path, 'dana', now)).rejects.toThrow(
    'entry 1 of the audit is another one in the store: a host has gone on there meanwhile. Import again.',
  );
  expect(await entries(there)).toMatchObject([{ number: 1, event: { why: 'of a host' } }]);
  expect(await broken(there)).toEqual([]);
  expect((await importHistory(there, path, 'dana', now)).brought).toHaveLength(1);
  expect(await broken(there)).toEqual([]);
});

test('a host that goes on between the looking and the writing stops an import there', async () => {
  const [here, folder] = [openEmbedded(freshFolder()), freshFolder()];
  for (let at = 0; at < 250; at++) await enter(here, `here ${at}`);
  const all = await entries(here);
  const { rows, audit: own, ...there } = openEmbedded(folder);
  await own.bring(null, all.slice(0, 10));
  let gotIn = false;
  // Another host gets in as soon as the first hundred are written.
  const table = rows('audit', placedCodec);
  const slow = audit(
    {
      ...table,
      async writeAll(changes) {
        const written = await table.writeAll(changes);
        if (gotIn) return written;
        gotIn = true;
        await own.append({ ...(all[0] as AuditEntry).event, id: 'between' });
        return written;
      },
    },
    rows('audit', broughtCodec),
  );
  expect(await slow.bring(null, all)).toEqual({ added: 100, conflict: 111 });
  const found = await entries({ ...there, rows, audit: own });
  expect(found.map(({ number }) => number)).toEqual(Array.from({ length: 111 }, (_, at) => at + 1));
  expect(found.slice(0, 110)).toEqual(all.slice(0, 110));
  expect(found.at(-1)).toMatchObject({ event: { id: 'between' }, previous: all[109]?.digest });
});
