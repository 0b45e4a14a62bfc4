import { z } from 'zod';
import { minute, second } from '../../shared/instant.ts';
import { canaryJob } from '../../shared/job/canary.ts';
import { type Finding, right, unknown, wrong } from './finding.ts';
import type { Patience } from './ticks.ts';

/** An answer of the API of the app. */
export interface Reply {
  status: number;
  text: string;
}

/** Asks the app as the one who runs verify. @throws when there is no answer */
export type Ask = (method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Reply>;

const run = z.object({
  run: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
  attempts: z.array(
    z.object({
      exitCode: z.number().nullable(),
      error: z.string().nullable(),
      errorClass: z.string().nullable(),
      handle: z.string().nullable(),
      state: z.string(),
    }),
  ),
  startedAt: z.string().nullable(),
  metrics: z.record(z.string(), z.unknown()),
});
type Run = z.infer<typeof run>;

/** What canary.py ends with. */
const exitCodes = { noSecret: 21, wrongSecret: 22 };

/** Azure takes half a minute to start an execution, and seldom ten. */
const startWithin = 12 * minute;
/** A container has 30 s after the request to stop; then the watch sees it within a minute. */
const stopWithin = 4 * minute;

const again = 'then lamp verify';
const check = (what: string) => `canary ${what}`;

/**
 * Runs the canary to its end, then once more to stop it, and looks at what each leaves. The first thing that does not work
 * is named with what to do; what comes after it says nothing.
 */
export async function canaryFindings(
  ask: Ask,
  patience: Pick<Patience, 'every' | 'clock' | 'sleep'>,
): Promise<Finding[]> {
  try {
    return await tried(ask, patience);
  } catch (error) {
    return [unknown(check('run'), `the API of the app gave no usable answer: ${(error as Error).message}`)];
  }
}

async function tried(ask: Ask, patience: Pick<Patience, 'every' | 'clock' | 'sleep'>): Promise<Finding[]> {
  const result: Finding[] = [await nudgeFinding(ask)];
  const first = await begin(ask, []);
  if ('finding' in first) return [...result, first.finding];
  const done = await until(ask, patience, first.run, startWithin, ({ state }) => isOver(state));
  const problem = endFinding(done);
  if (problem) return [...result, problem];
  result.push(right(check('run'), `${done.run} was started, read its secret and left its result`));
  result.push(await logFinding(ask, done), metricFinding(done));

  const second = await begin(ask, ['wait']);
  if ('finding' in second) return [...result, second.finding];
  const begun = await until(
    ask,
    patience,
    second.run,
    startWithin,
    (one) => one.startedAt !== null || isOver(one.state),
  );
  if (begun.state !== 'running')
    return [...result, endFinding(begun) ?? unknown(check('stop'), `it is ${begun.state}`)];
  await must(ask, 'POST', `/api/v1/jobs/${canaryJob}/runs/${begun.run}/cancel`, { why: 'lamp verify' });
  const stopped = await until(ask, patience, begun.run, stopWithin, ({ state }) => isOver(state));
  return [...result, stopFinding(stopped)];
}

async function begin(ask: Ask, args: string[]): Promise<{ run: string } | { finding: Finding }> {
  const { status, text } = await ask('POST', `/api/v1/jobs/${canaryJob}/runs`, { args, why: 'lamp verify' });
  if (status === 200) return { run: run.pick({ run: true }).parse(JSON.parse(text)).run };
  if (status === 401 || status === 403) {
    const remedy = `an administrator gives you the app role operator or admin (docs/deploy.md, Rights), az login again, ${again}`;
    return { finding: unknownWith(check('run'), `you may not run a job: ${brief(text, status)}`, remedy) };
  }
  if (status === 404) {
    const remedy = `lamp deploy --from package, ${again}`;
    return { finding: wrong(check('run'), 'the canary is not deployed: the package is older than it', remedy) };
  }
  throw new Error(brief(text, status));
}

/** A nudge has no token: it must get through to the app, which then finds that this one has no signature. */
async function nudgeFinding(ask: Ask): Promise<Finding> {
  const { status, text } = await ask('POST', '/api/finish', {});
  if (status === 400 && text.includes('expected')) return right(check('nudge'), 'nudges of shims reach the app');
  const remedy = `lamp deploy --from jobs opens /api/finish, ${again}; until then each end is noticed up to a minute late`;
  return wrong(check('nudge'), `a nudge gets ${status} before it reaches the app`, remedy);
}

/** Undefined: it did what it was to do. */
function endFinding({ run: name, state, reason, attempts, startedAt }: Run): Finding | undefined {
  if (state === 'succeeded') return undefined;
  const last = attempts.at(-1);
  const why = [last?.error, reason].filter(Boolean).join('; ') || 'no reason is known';
  const bad = (what: string, text: string, remedy: string) =>
    wrong(check(what), `${name} ${text}: ${why}`, `${remedy}, ${again}`);
  if (
    last?.exitCode === exitCodes.noSecret ||
    last?.exitCode === exitCodes.wrongSecret ||
    /key ?vault|secretref|secret/i.test(why)
  )
    return bad('secret', 'did not get its secret', 'lamp deploy --from access; rights to a secret take some minutes');
  if (/unable to (pull|get|fetch)|ImagePull|manifest/i.test(why))
    return bad(
      'pull',
      'has no image',
      'look at the identity id-<name>-pull and its AcrPull, and at the image: lamp deploy --from image',
    );
  if (last?.errorClass === 'authorisation' || /AuthorizationFailed|\b403\b/.test(why))
    return bad(
      'start',
      'may not be started by the app',
      'lamp deploy --from jobs assigns the role that starts jobs; it takes some minutes',
    );
  if (last === undefined) {
    return bad(
      'start',
      `is ${state}, and nothing took it from the queue`,
      'look at functions and poison above; lamp deploy --from app',
    );
  }
  if (startedAt === null) {
    const remedy =
      'look at the executions of the Container Apps Job in the portal: quota of the environment, AcrPull of id-<name>-pull, secrets';
    return bad('start', `is ${state}, and no container reported that it began`, remedy);
  }
  if (state === 'lost') {
    const remedy =
      'containers must reach the data account: look at its firewall, and at Storage Blob Data Contributor of the app, which signs the addresses';
    return bad('result', 'left no result', remedy);
  }
  return bad('run', `is ${state}`, `read its log: lamp logs ${name}`);
}

async function logFinding(ask: Ask, { run: name }: Run): Promise<Finding> {
  const { status, text } = await ask('GET', `/api/v1/jobs/${canaryJob}/runs/${name}/attempts/1/log`);
  const remedy = `look at the exceptions of the app in Application Insights, ${again}`;
  if (status !== 200) return wrong(check('log'), `the log of ${name} cannot be read: ${brief(text, status)}`, remedy);
  if (/canary-[0-9a-f]/.test(text))
    return wrong(
      check('log'),
      `the log of ${name} shows the secret`,
      'stop using this version, and report it: SECURITY.md',
    );
  if (!text.includes('canary: the secret reads'))
    return wrong(check('log'), `the log of ${name} lacks what it printed`, remedy);
  return right(check('log'), 'its log is there, and its secret is not in it');
}

function metricFinding({ run: name, metrics }: Run): Finding {
  if (metrics.canary === 1) return right(check('metrics'), 'its metric is there');
  return wrong(
    check('metrics'),
    `${name} has no metric`,
    `the image is older than the app: lamp deploy --from image, ${again}`,
  );
}

function stopFinding({ run: name, state }: Run): Finding {
  if (state === 'cancelled') return right(check('stop'), `${name} was stopped while it ran`);
  if (isOver(state))
    return wrong(check('stop'), `${name} was to be stopped, and is ${state}`, `read its log: lamp logs ${name}`);
  const remedy =
    'the custom role of infra/modules/starter.bicep must allow Microsoft.App/jobs/executions/stop/action: lamp deploy --from jobs; ' +
    'the canary ends by itself after ten minutes';
  return wrong(
    check('stop'),
    `${name} goes on ${stopWithin / minute} minutes after it was to stop`,
    `${remedy}, ${again}`,
  );
}

/** @returns the run as it is then; as it is at the end of patience, when it does not come to that */
async function until(
  ask: Ask,
  { every, clock, sleep }: Pick<Patience, 'every' | 'clock' | 'sleep'>,
  name: string,
  patience: number,
  enough: (run: Run) => boolean,
): Promise<Run> {
  let trouble = 0;
  for (const end = clock() + patience; ; ) {
    try {
      const found = run.parse(JSON.parse(await must(ask, 'GET', `/api/v1/jobs/${canaryJob}/runs/${name}`)));
      if (enough(found) || clock() >= end) return found;
      trouble = 0;
    } catch (error) {
      // An app that was deployed a moment ago restarts now and then.
      if (++trouble * every > 2 * minute) throw error;
    }
    await sleep(Math.max(every, second));
  }
}

async function must(ask: Ask, ...given: Parameters<Ask>): Promise<string> {
  const { status, text } = await ask(...given);
  if (status !== 200) throw new Error(`${given[1]} answers ${brief(text, status)}`);
  return text;
}

function unknownWith(name: string, text: string, remedy: string): Finding {
  return { ...unknown(name, text), remedy };
}

const problem = z.object({ detail: z.string() });

function brief(text: string, status: number): string {
  try {
    return `${status}: ${problem.parse(JSON.parse(text)).detail}`;
  } catch {
    return `${status}`;
  }
}

function isOver(state: string): boolean {
  return !['queued', 'starting', 'running', 'retrying'].includes(state);
}
