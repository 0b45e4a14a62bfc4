/** Names of this machine as a browser or a client writes them; any other name may be a rebound one of a stranger. */
const here = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** @param host with or without a port */
export function isLoopback(host: string): boolean {
  return here.test(host);
}
