/**
 * A text for people without the queries of the addresses in it: signatures are in there, which open blobs to whoever
 * reads them. Others' error messages may repeat what they were sent.
 */
export function withoutQueries(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s?#'"<>]*)[?#][^\s'"<>]*/gi, '$1?…');
}
