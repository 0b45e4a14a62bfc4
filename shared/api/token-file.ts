import { timingSafeEqual } from 'node:crypto';
import type { Guard } from './caller.ts';
import { isLoopback } from './loopback.ts';
import { ApiProblem } from './problem.ts';

/**
 * On one machine: the one that can read the host's token file is its operator. A page in a browser knows neither the token
 * nor a way to send it to another origin.
 * @param token as the file has it
 * @param person whom the audit names
 */
export function tokenGuard(token: string, person: string): Guard {
  const expected = Buffer.from(`Bearer ${token}`);
  return async (request) => {
    const host = request.headers.get('host') ?? new URL(request.url).host;
    if (!isLoopback(host)) {
      throw new ApiProblem('not-signed-in', `expected this machine's own name as host (127.0.0.1), found "${host}"`);
    }
    const given = Buffer.from(request.headers.get('authorization') ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      const how = 'send "Authorization: Bearer <token>" with the text of .lamplighter/api-token';
      throw new ApiProblem('not-signed-in', `expected the token of this host: ${how}`);
    }
    return { name: person, roles: ['admin'], departments: null };
  };
}
