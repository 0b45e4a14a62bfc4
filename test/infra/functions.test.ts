import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePackage } from '../../cli/deploy/package.ts';
import { readFolder } from '../../cli/host/folder.ts';
import { packJob, readCatalog } from '../../functions/catalog.ts';
import { readSettings, settingNames } from '../../functions/settings.ts';
import { startWorker, timer } from '../support/azure/worker.ts';
import { job } from '../support/pipeline/cast.ts';

/** The package that is published, loaded as the Node worker of Azure Functions loads it. */

const root = join(import.meta.dirname, '../..');
const samples = join(root, 'jobs');
let folder: string;
let app: string;

const settings = {
  LAMPLIGHTER_STORAGE__blobServiceUri: 'https://data.blob.core.windows.net',
  LAMPLIGHTER_STORAGE__queueServiceUri: 'https://data.queue.core.windows.net',
  LAMPLIGHTER_STORAGE__tableServiceUri: 'https://data.table.core.windows.net',
  AZURE_CLIENT_ID: '11111111-1111-1111-1111-111111111111',
  LAMPLIGHTER_KEY_VAULT_URL: 'https://kv-lamp.vault.azure.net',
  LAMPLIGHTER_SUBSCRIPTION_ID: '22222222-2222-2222-2222-222222222222',
  LAMPLIGHTER_RESOURCE_GROUP: 'rg-lamp',
  LAMPLIGHTER_JOB_PREFIX: 'lamp',
  LAMPLIGHTER_IMAGE: `lamp.azurecr.io/lamplighter-runtime@sha256:${'a'.repeat(64)}`,
  LAMPLIGHTER_APP_URL: 'https://func-lamp.azurewebsites.net',
};

async function pack(over: Partial<Parameters<typeof makePackage>[0]> = {}) {
  const { catalog } = await readFolder(samples);
  await makePackage({ catalog, prefix: 'lamp', out: app, index: join(folder, 'jobs.json'), ...over });
}

/** What was packed first, again: to pack takes seconds. */
async function putBack() {
  await rm(app, { recursive: true, force: true });
  await cp(join(folder, 'kept', 'app'), app, { recursive: true });
  await cp(join(folder, 'kept', 'jobs.json'), join(folder, 'jobs.json'));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamp-package-'));
  app = join(folder, 'app');
  await pack();
  for (const name of ['app', 'jobs.json'])
    await cp(join(folder, name), join(folder, 'kept', name), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the worker', () => {
  test('finds every function with its trigger, whatever its environment lacks', async () => {
    const worker = await startWorker(app);
    try {
      expect(worker.failure).toBeNull();
      const triggers = worker.functions.map(({ name, bindings }) => {
        const { type, schedule, queueName, connection, route, methods, authLevel } = (Object.values(bindings)[0] ??
          {}) as Record<string, unknown>;
        const given = { name, type, schedule, queueName, connection, route, methods, authLevel };
        return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      });
      expect(triggers).toEqual([
        { name: 'tick', type: 'timerTrigger', schedule: '0 * * * * *' },
        { name: 'watch', type: 'timerTrigger', schedule: '30 * * * * *' },
        { name: 'launch', type: 'queueTrigger', queueName: 'launch', connection: 'LAMPLIGHTER_STORAGE' },
        { name: 'daily', type: 'timerTrigger', schedule: '0 17 3 * * *' },
        { name: 'http', type: 'httpTrigger', route: '{*path}', methods: ['GET', 'POST'], authLevel: 'anonymous' },
      ]);
      // Timers that run at each start of an instance would tick once for each of them.
      expect(JSON.stringify(worker.functions)).not.toContain('runOnStartup');
    } finally {
      await worker.kill();
    }
  });

  test('is reported every setting that is wrong, by each function that is called, and the next call looks again', async () => {
    const worker = await startWorker(app, { ...settings, LAMPLIGHTER_IMAGE: 'python:3.12', LAMPLIGHTER_APP_URL: '' });
    try {
      for (const name of ['tick', 'watch', 'daily', 'tick']) {
        const { error } = await worker.invoke({ name, data: timer });
        expect(error).toContain('LAMPLIGHTER_IMAGE is "python:3.12": expected an image by its digest');
        expect(error).toContain('LAMPLIGHTER_APP_URL is not set. Address of this app');
        expect(error).not.toContain('LAMPLIGHTER_KEY_VAULT_URL');
      }
    } finally {
      await worker.kill();
    }
  });

  test('is reported when a package is not whole', async () => {
    await rm(join(app, 'jobs.json'));
    const worker = await startWorker(app, settings);
    try {
      const { error } = await worker.invoke({ name: 'tick', data: timer });
      expect(error).toMatch(/jobs\.json cannot be read .*make the package again with npm run package/);
    } finally {
      await worker.kill();
      await putBack();
    }
  });

  test('answers no one over HTTP when nothing checks who asks', async () => {
    const worker = await startWorker(app, settings);
    try {
      const ask = async (path: string, method = 'GET') =>
        (
          await worker.invoke({
            name: 'http',
            data: { http: { url: `https://x.example${path}`, method, headers: {} } },
          })
        ).returnValue?.http?.statusCode;
      expect(await ask('/health')).toBe('503');
      expect(await ask('/api/tick', 'POST')).toBe('503');
      expect(await ask('/api/finish', 'POST')).toBe('415');
    } finally {
      await worker.kill();
    }
  });
});

describe('the package', () => {
  test('has each job as it was checked, and its code under its digest', async () => {
    const { catalog } = await readFolder(samples);
    const read = await readCatalog(app);
    expect([...read.keys()]).toEqual([...catalog.keys()]);
    for (const [name, { job: was, bundle, lock, zip }] of catalog) {
      const found = read.get(name);
      expect(found).toMatchObject({ bundle, lock });
      expect(found?.job).toEqual({ ...was, folder: '', executor: null });
      expect(await found?.zip()).toEqual(await zip());
    }
  });

  test('replaces the one before wholly', async () => {
    const { catalog } = await readFolder(samples);
    const some = new Map([...catalog].slice(0, 1));
    await pack({ catalog: some });
    expect([...(await readCatalog(app)).keys()]).toEqual([...some.keys()]);
    await putBack();
  });

  test('lists for infra/ what each job needs', async () => {
    const { prefix, jobs } = JSON.parse(await readFile(join(folder, 'jobs.json'), 'utf8'));
    expect(prefix).toBe('lamp');
    expect(jobs.find((one: { name: string }) => one.name === 'score-prospects')).toMatchObject({
      resource: 'lamp-score-prospects',
      cpu: expect.stringMatching(/^\d/),
      memory: expect.stringMatching(/Gi$/),
      timeoutSeconds: expect.any(Number),
    });
  });

  test('is refused for a job whose limits Container Apps cannot keep, and the one before stays', async () => {
    const { catalog } = await readFolder(samples);
    const cut = { job: job('cut', { run: 'network: none' }), bundle: '', lock: null, commit: null };
    const over = new Map(catalog).set('cut', { ...cut, zip: async () => Buffer.alloc(0) });
    await expect(pack({ catalog: over })).rejects.toThrow('cut: run.network: none cannot be kept in Container Apps');
    expect([...(await readCatalog(app)).keys()]).toEqual([...catalog.keys()]);
  });

  test('is refused for a job that wants more time to stop than Container Apps gives', async () => {
    const { catalog } = await readFolder(samples);
    const slow = { job: job('slow', { run: 'grace: 60s' }), bundle: '', lock: null, commit: null };
    const over = new Map(catalog).set('slow', { ...slow, zip: async () => Buffer.alloc(0) });
    await expect(pack({ catalog: over })).rejects.toThrow('slow: run.grace 60s: a stop in Container Apps gives 30 s');
  });

  test('leaves out the resources of a job that is over, and keeps its history', async () => {
    const { catalog } = await readFolder(samples);
    const [[name, first]] = [...catalog] as [[string, NonNullable<ReturnType<typeof catalog.get>>]];
    const over = new Map(catalog).set(name, { ...first, job: { ...first.job, status: 'decommissioned' } });
    await pack({ catalog: over });
    const { jobs } = JSON.parse(await readFile(join(folder, 'jobs.json'), 'utf8'));
    expect(jobs.map((one: { name: string }) => one.name)).toEqual([...catalog.keys()].slice(1));
    expect((await readCatalog(app)).has(name)).toBe(true);
    await putBack();
  });

  test('has what sends mail in a file of its own, which the first call need not read', async () => {
    const mail = await import(pathToFileURL(join(app, 'nodemailer.js')).href);
    expect(mail.createTransport({ jsonTransport: true }).transporter.name).toBe('JSONTransport');
    expect((await readFile(join(app, 'handlers.js'), 'utf8')).includes('JSONTransport')).toBe(false);
  });

  test('says nothing of the machine it was made on', async () => {
    const { catalog } = await readFolder(samples);
    expect(JSON.stringify([...catalog.values()].map(packJob))).not.toContain(root);
    for (const file of ['index.js', 'handlers.js', 'nodemailer.js', 'jobs.json']) {
      expect((await readFile(join(app, file), 'utf8')).includes(root), file).toBe(false);
    }
  });
});

describe('the settings', () => {
  test('are all in the example for developers, each with what it is for', async () => {
    const example = JSON.parse(await readFile(join(root, 'local.settings.example.json'), 'utf8'));
    const platform = ['WEBSITE_AUTH_ENABLED', 'AZURE_FUNCTIONS_ENVIRONMENT'];
    for (const name of settingNames) {
      expect(example.about, name).toHaveProperty([name]);
      if (!platform.includes(name)) expect(example.Values, name).toHaveProperty([name]);
    }
    expect(Object.keys(example.about)).toEqual(expect.arrayContaining(Object.keys(example.Values)));
  });

  test('have defaults for what may be left out, and an empty one counts as left out', () => {
    const read = readSettings({ ...settings, LAMPLIGHTER_MAX_RUNNING: '', APPLICATIONINSIGHTS_CONNECTION_STRING: '' });
    expect(read).toMatchObject({ LAMPLIGHTER_MAX_RUNNING: 50, LAMPLIGHTER_RETENTION_DAYS: 400 });
    expect(read.APPLICATIONINSIGHTS_CONNECTION_STRING).toBeUndefined();
  });

  test.each([
    ['LAMPLIGHTER_RETENTION_DAYS', '90', 'expected at least 183'],
    ['LAMPLIGHTER_MAX_RUNNING', 'many', 'expected number'],
    ['LAMPLIGHTER_MAX_RUNNING', '0', '>=1'],
    ['LAMPLIGHTER_JOB_PREFIX', 'Lamp-', 'expected a lower-case letter'],
    ['LAMPLIGHTER_KEY_VAULT_URL', 'kv-lamp', 'Invalid URL'],
    ['LAMPLIGHTER_SUBSCRIPTION_ID', 'mine', 'Invalid GUID'],
    ['LAMPLIGHTER_STORAGE__queueServiceUri', '', 'must all be set'],
  ])('%s = %j is refused', (name, value, message) => {
    expect(() => readSettings({ ...settings, [name]: value })).toThrow(message);
  });
});
