import { auditView } from '../../shared/api/routes/audit.ts';
import { readHead } from '../../shared/run/audit-chain.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { count } from '../words.ts';

export interface VerifyFlags {
  from?: string;
  to?: string;
  head?: string;
  json?: boolean;
}

/** `lamp audit verify`: whether every link of the audit holds; names the first that does not. @returns whether all do */
export async function verifyAudit(here: Here, { from, to, head, json }: VerifyFlags): Promise<boolean> {
  if (head !== undefined && !readHead(head)) {
    throw new Refusal(
      `"${head}" is no head. Expected what an earlier lamp audit verify printed: 2026-11-28.412.<digest>`,
    );
  }
  const asked = Object.entries({ from, to, head }).filter((one): one is [string, string] => one[1] !== undefined);
  const client = await here.connect();
  const report = await client.get(`/audit/verify?${new URLSearchParams(asked)}`, auditView);
  const [first, ...others] = report.broken;
  if (json) printJson(report);
  else {
    if (first) {
      const where = first.entry === null ? '' : `entry ${first.entry}, `;
      console.log(`✘ ${first.kind}: ${where}${first.day || 'day unknown'}: ${first.text}`);
      if (others.length > 0) console.log(`  and ${count(others.length, 'more broken link')}: --json has them`);
      console.log('  Keep the storage as it is, and look at its logs of writes (docs/audit.md).');
    } else console.log(`✔ every link holds: ${report.entries} entries on ${count(report.heads.length, 'day')}`);
    if (report.unlisted > 0)
      console.log(`  ${report.unlisted} not yet in the list of their job: the daily upkeep lists them`);
    if (report.older > 0) console.log(`  ${count(report.older, 'event')} from before the chain began`);
    const last = report.heads.at(-1);
    if (last) console.log(`  head, to be kept elsewhere: ${last.head}`);
  }
  return first === undefined;
}
