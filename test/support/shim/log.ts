/** A log as the shim writes it, with one record of each kind. */
export const at = '2026-11-20T07:00:00.123Z';
export const log = Buffer.concat([
  Buffer.from(`${at} first\n${at}+half a line\n${at} , and its end\n${at}#said by the shim\n${at} \n`),
  Buffer.from(`${at} \xff\xfe not text\n${at}+open\n`, 'latin1'),
]);
