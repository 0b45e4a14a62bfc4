import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { start } from '@azure/arm-appcontainers/api/jobs';
import { expect, onTestFinished, test } from 'vitest';
import { armClient } from '../../shared/clients/management.ts';
import { Arm } from '../support/arm/arm.ts';
import { token } from '../support/arm/arm-admission.ts';
import { handRunner } from '../support/arm/arm-runner.ts';
import { actionOf, apiVersion } from '../support/arm/arm-schema.ts';

const container = {
  name: 'job',
  image: 'lamp.azurecr.io/runtime:1',
  env: [{ name: 'KEY', secretRef: 'crm-api-key' }],
  resources: { cpu: 0.5, memory: '1Gi' },
};

async function open(): Promise<Arm> {
  const arm = await Arm.open(handRunner(), { 'lamp-score': { 'crm-api-key': 'hunter2' } });
  onTestFinished(() => arm.close());
  return arm;
}

/** A request as no one's SDK would make it. */
async function ask(arm: Arm, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const place = `${arm.endpoint}/subscriptions/${arm.subscription}/resourceGroups/${arm.group}/providers/Microsoft.App/jobs`;
  const { ca } = arm.access.transport.tlsOptions;
  const usual = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers };
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const asking = request(`${place}/${path}`, { method, ca, headers: usual }, resolve).on('error', reject);
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
  const content = await text(response);
  return { status: response.statusCode, body: content === '' ? undefined : JSON.parse(content) };
}

const go = `lamp-score/start?api-version=${apiVersion}`;

test('a start that fits Microsoft’s specification runs, with its secrets filled in', async () => {
  const arm = await open();
  const { status, body } = await ask(arm, 'POST', go, { containers: [container] });
  expect([status, body.name]).toEqual([200, arm.executions[0]?.name]);
  expect(arm.executions[0]?.launched.env).toEqual({ KEY: 'hunter2' });
  expect(arm.violations).toEqual([]);
});

const wrong: Record<string, unknown> = {
  'wrapped in a template': { template: { containers: [container] } },
  'without containers': { containers: [] },
  'with a field that containers do not have': { containers: [{ ...container, volumeMounts: [] }] },
  'with a field that templates do not have': { containers: [container], replicaTimeout: 60 },
  'with half of a container': { containers: [{ env: container.env }] },
  'with a processor as text': { containers: [{ ...container, resources: { cpu: '0.5', memory: '1Gi' } }] },
  'with an unknown unit of memory': { containers: [{ ...container, resources: { cpu: 0.5, memory: '1GB' } }] },
  'with a storage of its own': {
    containers: [{ ...container, resources: { ...container.resources, ephemeralStorage: '1Gi' } }],
  },
  'with a variable that has both': {
    containers: [{ ...container, env: [{ name: 'A', value: '1', secretRef: 'crm-api-key' }] }],
  },
  'with a variable that has neither': { containers: [{ ...container, env: [{ name: 'A' }] }] },
  'with a variable twice': { containers: [{ ...container, env: [...container.env, ...container.env] }] },
  'with a command as one text': { containers: [{ ...container, command: 'python main.py' }] },
};

test.each(Object.entries(wrong))('a start %s is refused, and noted', async (_, body) => {
  const arm = await open();
  expect(await ask(arm, 'POST', go, body)).toMatchObject({
    status: 400,
    body: { error: { code: 'InvalidRequestContent' } },
  });
  expect(arm.violations).toHaveLength(1);
  expect(arm.executions).toEqual([]);
});

test.each([
  ['another version of the interface', 'POST', 'lamp-score/start?api-version=2025-07-01', 400],
  ['no version', 'POST', 'lamp-score/start', 400],
  ['a filter, which Azure never takes', 'GET', `lamp-score/executions?api-version=${apiVersion}&$filter=x`, 400],
  ['an operation that jobs have, and no one needs', 'POST', `lamp-score/listSecrets?api-version=${apiVersion}`, 404],
  ['the wrong method', 'GET', go, 404],
  ['a name that no job can have', 'POST', `lamp%20score/start?api-version=${apiVersion}`, 404],
])('%s is refused, and noted', async (_, method, path, status) => {
  const arm = await open();
  const body = method === 'GET' ? undefined : { containers: [container] };
  expect((await ask(arm, method, path, body)).status).toBe(status);
  expect(arm.violations).toHaveLength(1);
});

test('what Azure refuses for its own reasons is no breach of the specification', async () => {
  const arm = await open();
  const body = { containers: [container] };
  const code = async (path: string, more: unknown = body, headers = {}) =>
    (await ask(arm, 'POST', path, more, headers)).body.error.code;
  expect(await code(go, body, { authorization: 'Bearer other' })).toBe('InvalidAuthenticationToken');
  expect(await code(`lamp-other/start?api-version=${apiVersion}`)).toBe('ResourceNotFound');
  const large = { ...container, resources: { cpu: 0.5, memory: '2Gi' } };
  expect(await code(go, { containers: [large] })).toBe('ContainerAppInvalidResourceTotal');
  const open2 = { ...container, env: [{ name: 'KEY', secretRef: 'of-a person-else' }] };
  expect(await code(go, { containers: [open2] })).toBe('ContainerAppSecretRefNotFound');
  arm.allowed.delete(actionOf.start);
  expect(await code(go)).toBe('AuthorizationFailed');
  expect([arm.violations, arm.executions]).toEqual([[], []]);
});

test('an accepted start can be followed to its execution, by those who may', async () => {
  const arm = await open();
  arm.accepts = 'accepted';
  const { credential, subscription, endpoint, transport } = arm.access;
  const client = armClient({ credential, subscription, endpoint, transport, patienceMs: 5_000 });
  const follow = () =>
    start(client, arm.group, 'lamp-score', { template: { containers: [container] }, updateIntervalInMs: 1 });
  await expect(Promise.resolve(follow())).rejects.toMatchObject({ code: 'AuthorizationFailed' });
  arm.allowed.add(actionOf.poll);
  const { name } = await follow();
  expect(name).toBe(arm.executions[1]?.name);
  expect(arm.violations).toEqual([]);
});
