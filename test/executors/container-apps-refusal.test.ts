import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { ContainerAppsOptions } from '../../shared/executors/container-apps/container-apps.ts';
import { StartError } from '../../shared/executors/executor.ts';
import type { Arm } from '../support/arm/arm.ts';
import { byHand, score, spec, ticket } from '../support/arm/arm-executor.ts';
import type { Refusal } from '../support/arm/arm-fault.ts';
import { actionOf } from '../support/arm/arm-schema.ts';

/** Starts `score` where something is amiss, and gives the error; the job must not have been started, nor looked for. */
async function refusal(amiss: (arm: Arm) => void, over: Partial<ContainerAppsOptions> = {}): Promise<StartError> {
  const { arm, executor } = await byHand(over);
  amiss(arm);
  const error = await executor.start(spec()).then(
    (handle) => expect.fail(`was started as ${handle}`),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(StartError);
  expect(arm.count('start')).toBeLessThanOrEqual(1);
  expect([arm.count('list'), arm.executions.length]).toEqual([0, 0]);
  expect(holdsTicket(error)).toBe(false);
  return error;
}

/** The ticket opens the job's blobs to the one that reads it, and the SDK's errors carry the whole request. */
function holdsTicket(error: Error): boolean {
  const cause = error.cause as { request?: { body?: unknown } } | undefined;
  return `${inspect(error, { depth: 20, showHidden: true })} ${cause?.request?.body}`.includes('sig=');
}

const answers = (answer: Refusal) => (arm: Arm) => arm.once('start', { done: false, answer });

test('a throttled start says how long Azure wants to be left alone', async () => {
  const many = { status: 429, code: 'TooManyRequests', message: 'The request rate is too high.' };
  const error = await refusal(answers({ ...many, headers: { 'retry-after': '17' } }));
  expect(error.class).toBe('throttled');
  expect(error.message).toMatch(
    /asked too often \(429 TooManyRequests: .*\) and can be asked again in 17 s; .*LAMPLIGHTER_MAX_RUNNING/,
  );
  const date = 'Fri, 20 Nov 2026 07:01:00 GMT';
  expect((await refusal(answers({ ...many, headers: { 'retry-after': date } }))).message).toContain(`again ${date};`);
  expect((await refusal(answers(many))).message).toContain('again later;');
  // As figures too, for the next try.
  expect(error.retryAfterMs).toBe(17_000);
  const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
  const dated = await refusal(answers({ ...many, headers: { 'retry-after': inAnHour } }));
  expect(Math.abs((dated.retryAfterMs ?? 0) - 3_600_000)).toBeLessThan(60_000);
  expect((await refusal(answers({ ...many, headers: { 'retry-after': date } }))).retryAfterMs).toBe(0);
  expect((await refusal(answers(many))).retryAfterMs).toBeUndefined();
});

test('a start that the role does not allow names what is missing, and where', async () => {
  const error = await refusal((arm) => arm.allowed.delete(actionOf.start));
  expect(error.class).toBe('authorization');
  expect(error.message).toMatch(
    /may not do Microsoft.App\/jobs\/start\/action on the Container Apps Job lamp-score in rg-lamp: .*`lamp deploy`/,
  );
});

test('a start that a policy forbids says Azure’s reason', async () => {
  const error = await refusal(answers({ status: 403, code: 'RequestDisallowedByPolicy', message: 'Not on Fridays.' }));
  expect(error).toMatchObject({ class: 'authorization', message: expect.stringContaining('Not on Fridays.') });
});

test('a token that Azure does not take is a matter of the identity', async () => {
  const getToken = async () => ({ token: 'of another host', expiresOnTimestamp: Date.now() + 3_600_000 });
  const error = await refusal(() => {}, { credential: { getToken } });
  expect(error).toMatchObject({ class: 'authorization', message: expect.stringMatching(/401 .*AZURE_CLIENT_ID/) });
});

const identity = (name: string, more: object) => ({
  credential: {
    async getToken(): Promise<never> {
      throw Object.assign(new Error('no token today'), { name, ...more });
    },
  },
});

test('no token at all starts nothing; what may pass is reported as passing', async () => {
  const settled = await refusal(() => {}, identity('AuthenticationError', { statusCode: 400 }));
  expect(settled).toMatchObject({ class: 'authorization', message: expect.stringContaining('no token today') });
  for (const [name, more] of [
    ['CredentialUnavailableError', {}],
    ['AuthenticationError', { statusCode: 500 }],
    ['AuthenticationError', { statusCode: 429 }],
  ] as const) {
    expect((await refusal(() => {}, identity(name, more))).class).toBe('infrastructure');
  }
});

test('a job that Azure does not have is to be deployed', async () => {
  const error = await refusal((arm) => arm.jobs.clear());
  expect(error.class).toBe('configuration');
  expect(error.message).toMatch(/^there is no Container Apps Job lamp-score in rg-lamp: .*`lamp deploy`/);
});

test.each([
  ['resource group', { resourceGroup: 'rg-other' }],
  ['subscription', { subscription: '00000000-0000-0000-0000-000000000000' }],
])('a wrong %s is reported by the settings that hold it', async (_, over) => {
  const error = await refusal(() => {}, over);
  expect(error).toMatchObject({
    class: 'configuration',
    message: expect.stringContaining('LAMPLIGHTER_RESOURCE_GROUP'),
  });
});

test('a 404 that is not Azure’s says nothing about the job', async () => {
  const error = await refusal(answers({ status: 404, message: '<html>no such host</html>' }));
  expect(error).toMatchObject({ class: 'infrastructure', message: expect.stringContaining('is a proxy in between?') });
});

test('a job that is not in this package is not asked for', async () => {
  const error = await refusal(() => {}, { jobs: () => undefined });
  expect(error).toMatchObject({ class: 'configuration', message: 'the job score is not deployed here' });
});

test('a job that asks for more than Container Apps has is reported the most there is', async () => {
  const error = await refusal(() => {}, { jobs: () => ({ ...score, cpu: 8 }) });
  expect(error).toMatchObject({ class: 'configuration', message: expect.stringContaining('at most 4 cpu and 8 GiB') });
});

test('a secret that the Container Apps Job lacks is to be deployed', async () => {
  const error = await refusal((arm) => arm.jobs.set('lamp-score', { warehouse: 'password' }));
  expect(error.class).toBe('configuration');
  expect(error.message).toMatch(/`lamp deploy`.*SecretRef 'crm-api-key' defined for container 'job' not found/);
});

test('an image that Azure cannot use is reported in its words', async () => {
  const message = "Field 'template.containers.job.image' is invalid: MANIFEST_UNKNOWN";
  const error = await refusal(answers({ status: 400, code: 'InvalidParameterValueInContainerTemplate', message }));
  expect(error).toMatchObject({ class: 'configuration', message: expect.stringContaining(message) });
});

test.each<[string, Refusal]>([
  ['by its code', { status: 400, code: 'MaxNumberOfReplicasExceeded', message: 'Too many.' }],
  ['as a conflict', { status: 409, code: 'QuotaExceeded', message: 'Too many.' }],
  ['as forbidden', { status: 403, code: 'Forbidden', message: 'The quota of the subscription is reached.' }],
  [
    'in a sentence',
    { status: 400, code: 'BadRequest', message: 'Maximum Allowed Cores exceeded for the Managed Environment.' },
  ],
])('a full environment, reported %s, passes, and the error says what to ask Azure for', async (_, answer) => {
  const error = await refusal(answers(answer));
  expect(error.class).toBe('infrastructure');
  expect(error.message).toMatch(/is full.*"Managed Environment Consumption Cores".*list-usages/);
});

test('an Azure that cannot be reached has started nothing', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const endpoint = `https://127.0.0.1:${port}`;
  const error = await refusal(() => {}, { endpoint });
  expect(error).toMatchObject({
    class: 'infrastructure',
    message: `Azure cannot be reached at ${endpoint} (ECONNREFUSED): nothing was started`,
  });
});

test('a certificate that no one vouches for is not trusted with the token', async () => {
  const error = await refusal(() => {}, { transport: {} });
  expect(error).toMatchObject({ class: 'infrastructure', message: expect.stringContaining('nothing was started') });
});

test('a specification that cannot be stored is an outage of the store: no one asks Azure, and it is tried again', async () => {
  let asked: unknown[] = [];
  const error = await refusal(
    (arm) => {
      asked = arm.asked;
    },
    { ticket: () => Promise.reject(new Error('storage is unavailable')) },
  );
  expect(error).toMatchObject({ class: 'infrastructure', message: expect.stringContaining('storage is unavailable') });
  expect(asked).toEqual([]);
});

test('a refusal in which Azure repeats what it was sent is reported without the ticket', async () => {
  const message = `The value '${ticket}' of LAMPLIGHTER_SPEC is too long.`;
  const { arm, executor } = await byHand();
  arm.once('start', { done: false, answer: { status: 400, code: 'InvalidTemplate', message } });
  const error = await executor.start(spec()).catch((reason) => reason);
  expect(error.message).toContain("spec.json?…' of LAMPLIGHTER_SPEC is too long");
  expect(holdsTicket(error)).toBe(false);
});

test('what is reported an unclear start does not hold the ticket either', async () => {
  const { arm, executor } = await byHand();
  arm.once('start', { done: false, answer: 'lost' });
  const error = await executor.start(spec()).catch((reason) => reason);
  expect(error).toBeInstanceOf(StartError);
  expect(holdsTicket(error)).toBe(false);
});
