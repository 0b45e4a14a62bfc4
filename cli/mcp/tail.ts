import { iso } from '../../shared/instant.ts';
import { readLog } from '../../shared/run/log.ts';
import { visible } from '../../shared/text.ts';
import type { Client } from '../client.ts';

/** So much of the end of a log is kept while it is read, in bytes. */
const kept = 1024 * 1024;

/** The last lines of a log, with their times, safe to show. @param path of the log, behind `/api/v1` */
export async function tailOf(client: Client, path: string, lines: number): Promise<string> {
  let end = Buffer.alloc(0);
  for (let offset = 0; ; ) {
    const { bytes, next } = await client.log(`${path}?offset=${offset}`);
    if (bytes.length === 0) break;
    end = Buffer.concat([end, bytes]).subarray(-kept);
    offset = next;
  }
  const whole = end.length < kept ? end : end.subarray(end.indexOf(0x0a) + 1);
  const { records } = readLog(whole);
  const shown = records.slice(-lines).map(({ at, from, bytes }) => {
    return `${iso(at)} ${from === 'lamplighter' ? '[lamplighter] ' : ''}${visible(bytes.toString(), '\t')}`;
  });
  return shown.length === 0 ? 'The log is empty.' : shown.join('\n');
}
