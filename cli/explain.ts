import { troubleText } from '../shared/events.ts';
import { exits, Refusal } from './refusal.ts';

/** What the HTTP client of the store's SDK says when no one answers, or the way there is closed. */
const away =
  /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|REQUEST_SEND_ERROR)$/;

/** One line for people; LAMPLIGHTER_DEBUG keeps the stack of what we did not foresee. */
export function explain(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (process.env.LAMPLIGHTER_DEBUG !== undefined && error instanceof Error) return error.stack ?? error.message;
  if (isAway(error)) {
    return (
      `lamp: the store does not answer: ${troubleText(error)}. ` +
      'Nothing is known about what you asked for; look at the host (npm start) and try again.'
    );
  }
  return `lamp: ${troubleText(error)}`;
}

/** What the process ends with after this error. */
export function exitOf(error: unknown): number {
  if (error instanceof Refusal) return error.exitCode;
  return isAway(error) ? exits.noAnswer : exits.refused;
}

function isAway(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && away.test(code);
}
