import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Ingestion } from '../support/azure/ingestion.ts';
import type { Outcome, Plan } from '../support/azure/insights-child.ts';

const ingestion = new Ingestion();
let connection: string;
let scratch: string;
beforeAll(async () => {
  connection = await ingestion.listen();
  scratch = await mkdtemp(join(tmpdir(), 'lamp-telemetry-'));
});
afterAll(async () => {
  await ingestion.close();
  await rm(scratch, { recursive: true, force: true });
});
beforeEach(() => {
  ingestion.behave = 'accept';
  ingestion.verdict = () => undefined;
  ingestion.items.length = 0;
  ingestion.authorizations.length = 0;
});

const traceId = '0af7651916cd43dd8448eb211c80319c';
const otherId = '4bf92f3577b34da6a3ce929d0e0e4736';
/** The last field says that the host does not sample this operation. */
const traceParent = `00-${traceId}-b7ad6b7169203331-00`;

async function run(plan: Partial<Plan>): Promise<Outcome> {
  const whole: Plan = { connection, operations: [{ traceParent, runs: ['one'] }], flushes: 1, ...plan };
  const child = join(import.meta.dirname, '../support/azure/insights-child.ts');
  const env = {
    ...process.env,
    NODE_EXTRA_CA_CERTS: ingestion.certificate.certFile,
    OTEL_SERVICE_NAME: 'lamplighter-test',
    // What cannot be sent is kept here.
    TMPDIR: await mkdtemp(join(scratch, 'child-')),
  };
  const { stdout } = await promisify(execFile)(process.execPath, [child, JSON.stringify(whole)], { env });
  return JSON.parse(stdout) as Outcome;
}

test('an event arrives with its name, its fields, the role of the app, and the operation of the host', async () => {
  await run({});
  expect(ingestion.items).toHaveLength(1);
  const [{ tags, data, sampleRate } = { tags: {}, data: undefined, sampleRate: 0 }] = ingestion.items;
  expect(tags).toMatchObject({
    'ai.cloud.role': 'lamplighter-test',
    'ai.operation.id': traceId,
    'ai.operation.parentId': 'b7ad6b7169203331',
  });
  expect(sampleRate).toBe(100);
  expect(data).toEqual({
    baseType: 'EventData',
    baseData: {
      ver: 2,
      name: 'LamplighterAttempt',
      properties: {
        job: 'score',
        run: 'one',
        slot: '2026-11-20T07:00:00Z',
        trigger: 'schedule',
        attempt: '1',
        state: 'running',
        executor: 'fake',
        startedAt: '2026-11-20T07:00:00Z',
        tier: 'standard',
        status: 'production',
        department: 'Sales',
        owner: 'dana@contoso.com',
      },
      measurements: { lagMs: 0, memoryLimitBytes: 1024 ** 3 },
    },
  });
  expect(ingestion.strange).toEqual([]);
});

test('of 1,200 events in two operations at once, unsampled ones among them, each arrives in its own operation', async () => {
  const ids = (from: string) => Array.from({ length: 600 }, (_, number) => `${from}${number}`);
  const other = `00-${otherId}-00f067aa0ba902b7-01`;
  await run({
    operations: [
      { traceParent, runs: ids('a') },
      { traceParent: other, runs: ids('b') },
    ],
  });
  const arrived = ingestion.items.map(({ tags, data }) => `${data.baseData.properties.run} ${tags['ai.operation.id']}`);
  const expected = [...ids('a').map((id) => `${id} ${traceId}`), ...ids('b').map((id) => `${id} ${otherId}`)];
  expect(arrived.sort()).toEqual(expected.sort());
});

test('an event is sent all the same when the host names no operation, or none that can be read', async () => {
  const strange = [undefined, '', 'garbage', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`, traceParent.toUpperCase()];
  const operations = strange.map((text) => ({ ...(text !== undefined && { traceParent: text }), runs: ['one'] }));
  await run({ operations });
  expect(ingestion.items.map(({ tags }) => tags['ai.operation.id'])).toEqual(strange.map(() => undefined));
});

test('the package is loaded by the first flush that has something to send, not before', async () => {
  const idle = await run({ operations: [] });
  expect(idle).toMatchObject({ loadedBefore: false, loadedAfter: false, log: [] });
  const busy = await run({});
  expect(busy).toMatchObject({ loadedBefore: false, loadedAfter: true, log: [] });
});

test('where ingestion takes identities only, events carry a token of the app’s', async () => {
  await run({ token: 'of-the-identity' });
  expect(ingestion.authorizations).toEqual(['Bearer of-the-identity']);
  expect(ingestion.items).toHaveLength(1);
});

test('nothing but events is sent: what the host records already is not recorded twice', async () => {
  await run({ flushes: 3, pauseMs: 1_500 });
  expect(new Set(ingestion.items.map(({ data }) => data.baseType))).toEqual(new Set(['EventData']));
  expect(ingestion.items.map(({ data }) => data.baseData.properties.run)).toEqual(['one', 'more1', 'more2']);
});

test('an endpoint that hangs holds up one flush for its limit, the others not at all, and is reported once', async () => {
  ingestion.behave = 'hang';
  const { flushMs, log } = await run({ flushMs: 1_500, flushes: 4 });
  expect(flushMs[0]).toBeGreaterThan(1_400);
  expect(flushMs[0]).toBeLessThan(3_500);
  expect(Math.max(...flushMs.slice(1))).toBeLessThan(100);
  expect(log).toEqual([expect.stringContaining('nothing was accepted within 1500 ms')]);
});

test('an endpoint that is not there costs a flush a moment, throws nothing, and is reported once', async () => {
  const nowhere = connection.replace(/:\d+\/$/, ':9/');
  const { flushMs, log } = await run({ connection: nowhere, flushes: 3, flushMs: 6_000 });
  expect(Math.max(...flushMs)).toBeLessThan(6_500);
  expect(log).toEqual([expect.stringMatching(/do not reach Application Insights \(.*ECONNREFUSED/)]);
});

test('an identity without its role is reported with the name of the role', async () => {
  ingestion.behave = 'forbid';
  const { log } = await run({ token: 'of-a-stranger', flushes: 2 });
  expect(log).toEqual([expect.stringContaining('answer 403: has its identity the role Monitoring Metrics Publisher?')]);
});

test('of a partial success, what may be taken later is sent again at once, and arrives once', async () => {
  ingestion.verdict = ({ data }, request) =>
    request === 1 && data.baseData.properties.run !== 'two' ? 503 : undefined;
  const { log } = await run({ operations: [{ traceParent, runs: ['one', 'two', 'three'] }] });
  expect(ingestion.authorizations).toHaveLength(2);
  expect(ingestion.items.map(({ data }) => data.baseData.properties.run)).toEqual(['two', 'one', 'three']);
  expect(log).toEqual([]);
});

test('a partial success that took nothing is no success: it is reported with the reason', async () => {
  ingestion.verdict = () => 400;
  const { log } = await run({ operations: [{ traceParent, runs: ['one', 'two', 'three'] }] });
  expect(ingestion.items).toEqual([]);
  expect(ingestion.authorizations).toHaveLength(1);
  expect(log).toEqual([
    expect.stringContaining('3 of 3 events were not taken (400 no: 400); 3 of them are refused for good'),
  ]);
});

test('of a partial success with both kinds, the refused are reported and the others arrive', async () => {
  ingestion.verdict = ({ data }, request) => {
    if (data.baseData.properties.run === 'two') return 400;
    return request === 1 ? 429 : undefined;
  };
  const { log } = await run({ operations: [{ traceParent, runs: ['one', 'two', 'three'] }] });
  expect(ingestion.items.map(({ data }) => data.baseData.properties.run)).toEqual(['one', 'three']);
  expect(log).toEqual([expect.stringContaining('1 of 3 events were not taken (400 no: 400)')]);
});

test('a connection string that is none is reported, and the service goes on', async () => {
  const { flushMs, log } = await run({ connection: 'nonsense', flushes: 2 });
  expect(flushMs).toHaveLength(2);
  expect(log).toEqual([expect.stringContaining('APPLICATIONINSIGHTS_CONNECTION_STRING has no InstrumentationKey')]);
});
