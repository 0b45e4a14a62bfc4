import { z } from 'zod';
import { type Finding, right, unknown, wrong } from './finding.ts';
import { poisonFinding } from './judge.ts';

const health = z.object({
  lastTick: z.iso.datetime().nullable(),
  setAside: z.int().nonnegative().optional(),
});
type Health = z.infer<typeof health>;

export interface Patience {
  /** Between two looks, ms. */
  every: number;
  /** Until it is given up, ms. */
  patience: number;
  clock: () => number;
  sleep: (ms: number) => Promise<unknown>;
}

export interface Watch extends Patience {
  url: string;
  token: string;
}

/** What /health shows of ticks, and of launches that were set aside. */
export async function healthFindings(watch: Watch): Promise<Finding[]> {
  let newest: Health | undefined;
  const ticks = await tickFinding(watch, (health) => {
    newest = health;
  });
  return [ticks, newest ? poisonFinding(newest.setAside) : unknown('poison', 'see ticks')];
}

/**
 * Waits for two new ticks. The timer makes one a minute; the second scheduler of infra/ makes one in five minutes, so
 * that a single one does not show that the timer lives (it has been seen to die silently after a deployment).
 */
async function tickFinding(watch: Watch, report: (health: Health) => void): Promise<Finding> {
  const { every, patience, clock, sleep } = watch;
  const check = 'ticks';
  const began = clock();
  const seen = new Set<string>();
  let first: string | null | undefined;
  let trouble = '';
  for (;;) {
    try {
      const answer = await ask(watch);
      if (answer.status === 401 || answer.status === 403) {
        const remedy = 'the app must let you in: docs/deploy.md, Rights; a role or setting takes some minutes';
        return wrong(check, `/health refuses your token with ${answer.status}`, remedy);
      }
      if (!answer.ok) throw new Error(`/health answers ${answer.status}`);
      const reported = health.parse(await answer.json());
      report(reported);
      if (first === undefined) first = reported.lastTick;
      else if (reported.lastTick !== null && reported.lastTick !== first) seen.add(reported.lastTick);
      trouble = '';
    } catch (error) {
      // An app that has just been deployed answers 502 or 503 for a while.
      trouble = error instanceof z.ZodError ? '/health answers something else than lastTick' : (error as Error).message;
    }
    const seconds = Math.round((clock() - began) / 1_000);
    if (seen.size >= 2) return right(check, `two new ticks within ${seconds} s`);
    if (clock() - began >= patience) return late(check, seconds, seen.size, first, trouble);
    await sleep(every);
  }
}

function ask({ url, token }: Watch): Promise<Response> {
  return fetch(`${url}/health`, {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'error',
    signal: AbortSignal.timeout(30_000),
  });
}

function late(
  check: string,
  seconds: number,
  count: number,
  first: string | null | undefined,
  trouble: string,
): Finding {
  if (trouble !== '') return unknown(check, `${trouble}, for ${seconds} s`);
  if (count === 1) {
    const remedy =
      'az functionapp stop, then start (a restart alone has been seen not to help); then lamp deploy --from app';
    return wrong(
      check,
      `one new tick in ${seconds} s: the timer seems dead, and only the second scheduler ticks`,
      remedy,
    );
  }
  const remedy =
    'look at functions above; then at the exceptions of the app in Application Insights; then lamp deploy --from app';
  return wrong(check, `no new tick in ${seconds} s; the last one: ${first ?? 'never'}`, remedy);
}
