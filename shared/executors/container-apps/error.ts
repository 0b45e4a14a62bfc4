import { tokenRemedy } from '../../clients/remedy.ts';
import { withoutQueries } from '../../text.ts';
import { StartError } from '../executor.ts';

/** Which Container Apps Job Azure was asked to start, and where. */
export interface Place {
  name: string;
  group: string;
  endpoint: string;
}

/** An answer of Azure's that is not the wanted one, or the lack of any (`status` undefined). */
interface Answer {
  status: number | undefined;
  /** Azure's own, such as `AuthorizationFailed`; without an answer that of the system, such as `ECONNRESET`. */
  code: string | undefined;
  text: string;
  retryAfter: string | undefined;
}

function answerOf(error: unknown): Answer {
  const { name, statusCode, code, message, response } = error as {
    name?: unknown;
    statusCode?: unknown;
    code?: unknown;
    message?: unknown;
    response?: { headers?: { get?: (name: string) => string | undefined } };
  };
  return {
    status: typeof statusCode === 'number' ? statusCode : undefined,
    code: typeof code === 'string' ? code : undefined,
    text: name === 'AbortError' ? 'no answer in time' : withoutQueries(String(message ?? error).trim()),
    retryAfter: response?.headers?.get?.('retry-after'),
  };
}

/** Azure itself says that there is no such job or execution. A missing group or a proxy's 404 says nothing of those. */
export function isMissing(error: unknown): boolean {
  const { status, code } = answerOf(error);
  return status === 404 && /NotFound$/.test(code ?? '') && !/group|subscription/i.test(code ?? '');
}

/** Azure says that what it was asked does not fit the state of things. */
export function isConflict(error: unknown): boolean {
  const { status } = answerOf(error);
  return status === 400 || status === 409 || status === 412;
}

const unsent = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS)/;

/**
 * Why a job was not started, in words that say what to do; undefined: it may have been, whatever the answer was.
 * A time-out, a broken connection and every 5xx are such, as is 409, which Azure uses for too many things.
 */
export function refusal(error: unknown, place: Place): StartError | undefined {
  const answer = answerOf(error);
  const { status, code = '', text, retryAfter } = answer;
  const job = `the Container Apps Job ${place.name} in ${place.group}`;
  const refuse = (kind: StartError['class'], what: string) => new StartError(kind, what, bare(answer));
  const said = saidBy(answer);

  if (status !== 429 && /quota|MaxNumberOf|Maximum ?Allowed ?Cores/i.test(code + (status === undefined ? '' : text))) {
    const ask = 'ask Azure for more of "Managed Environment Consumption Cores", or lower LAMPLIGHTER_MAX_RUNNING';
    const look = '`az containerapp env list-usages` says what is in use';
    return refuse('infrastructure', `the Container Apps environment of ${job} is full (${said}): ${ask}; ${look}`);
  }
  if (isOfIdentity(error)) {
    const settled = status === 400 || status === 401 || status === 403;
    const what = `no token for Azure (${text}): ${tokenRemedy(error)}`;
    return refuse(settled ? 'authorization' : 'infrastructure', what);
  }
  if (status === undefined) {
    if (!unsent.test(code)) return undefined;
    return refuse('infrastructure', `Azure cannot be reached at ${place.endpoint} (${code}): nothing was started`);
  }
  if (status === 429) {
    const wait = retryAfter === undefined ? 'later' : /^\d+$/.test(retryAfter) ? `in ${retryAfter} s` : retryAfter;
    const what = `Azure is asked too often (${said}) and can be asked again ${wait}`;
    const text = `${what}; if that happens often, lower LAMPLIGHTER_MAX_RUNNING`;
    return new StartError('throttled', text, bare(answer), retryAfterMs(retryAfter));
  }
  if (status === 401) {
    const what = `Azure does not accept the token of this app (${said})`;
    return refuse(
      'authorization',
      `${what}: check AZURE_CLIENT_ID, and that the identity is of the subscription's tenant`,
    );
  }
  if (status === 403) {
    const what =
      code === 'AuthorizationFailed'
        ? `this app may not do Microsoft.App/jobs/start/action on ${job}`
        : `${job} is forbidden`;
    const hint = 'give its identity the role for jobs there, as `lamp deploy` does; a new role takes some minutes';
    return refuse('authorization', `${what}: ${hint} (${said})`);
  }
  if (status === 404) {
    const settings = 'check LAMPLIGHTER_SUBSCRIPTION_ID and LAMPLIGHTER_RESOURCE_GROUP';
    if (isMissing(error)) {
      const what = `there is no ${job.slice('the '.length)}`;
      return refuse('configuration', `${what}: deploy the infrastructure again with \`lamp deploy\` (${said})`);
    }
    if (code) return refuse('configuration', `nothing is in the resource group ${place.group}: ${settings} (${said})`);
    return refuse(
      'infrastructure',
      `${place.endpoint} does not answer as Azure does (${said}): is a proxy in between?`,
    );
  }
  if (status >= 500 || status === 408 || status === 409 || status < 400) return undefined;
  const hint = /secret/i.test(code + text) ? ': deploy the infrastructure again with `lamp deploy`' : '';
  return refuse('configuration', `${job} was not started${hint} (${said})`);
}

/** The header as RFC 9110 has it: seconds, or a date. Undefined: neither. */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

/** A start that cannot be shown to have happened, even after looking for it. */
export function lostStart(error: unknown, looks: number, trouble: unknown): StartError {
  const seen = trouble === undefined ? 'is not among its executions' : `cannot be looked for (${explain(trouble)})`;
  const what = `Azure did not say whether it started the job (${explain(error)}), and the attempt ${seen}`;
  return new StartError('infrastructure', `${what} after ${looks} looks`, bare(answerOf(error)));
}

/** In one line, and without the request, which holds the ticket. */
export function explain(error: unknown): string {
  return saidBy(answerOf(error));
}

function saidBy({ status, code, text }: Answer): string {
  const what = [status, code].filter((part) => part !== undefined).join(' ');
  return what === '' || text.startsWith(what) ? text : `${what}: ${text}`;
}

function bare(answer: Answer): Error {
  return new Error(saidBy(answer));
}

/** The errors of @azure/identity: thrown before anything is sent. */
function isOfIdentity(error: unknown): boolean {
  const name = (error as { name?: unknown }).name;
  return /^(CredentialUnavailable|Authentication|AggregateAuthentication|AuthenticationRequired)/.test(String(name));
}
