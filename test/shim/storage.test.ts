import { expect, type TestContext, test } from 'vitest';
import { start, until, World } from '../support/shim/shim.ts';
import { Detour } from '../support/shim/shim-proxy.ts';

/** Storage of the test's own, and a way there that can be disturbed. Most of these tests wait, so they wait together. */
async function open({ onTestFinished }: TestContext): Promise<{ world: World; proxy: Detour }> {
  const world = await World.create();
  const proxy = await Detour.to(world.container.url);
  onTestFinished(() => proxy.close());
  return { world, proxy };
}

/** Prints a numbered line every 10 ms, for two seconds. */
const counting = 'import time\nfor i in range(200):\n    print("line", i, flush=True); time.sleep(0.01)';
const counted = Array.from({ length: 200 }, (_, i) => `line ${i}\n`).join('');

test.concurrent('storage is unavailable while a job runs: it is not held up, and its log arrives whole and nothing twice', async (context) => {
  const { world, proxy } = await open(context);
  const spec = await world.spec(counting, { through: proxy.address, heartbeatMs: 300 });
  const { ended } = start(spec);
  await until(async () => proxy.seen.some((line) => line.includes('started.json')));
  await until(async () => world.exists(`${spec.run}/log.txt`));
  proxy.mode = 'refuse';
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  proxy.mode = 'open';
  expect(await ended).toMatchObject({ code: 0, said: '' });
  const { result, log } = await world.left(spec);
  expect(result).toMatchObject({ outcome: 'succeeded', log: { text: null, lines: 200 } });
  expect(log.job.toString()).toBe(counted);
  expect(Date.parse(result.endedAt) - Date.parse(result.jobStartedAt as string)).toBeLessThan(4_000);
});

test.concurrent('the answer to every second request is lost: log and result are complete and nothing is doubled', async (context) => {
  const { world, proxy } = await open(context);
  let turn = 0;
  proxy.decide = (line) => (/started|heartbeat/.test(line) || turn++ % 2 ? 'open' : 'deaf');
  const spec = await world.spec(counting, { through: proxy.address, outputs: ['a.txt'] });
  const { result, log } = await world.run(spec);
  expect(log.job.toString()).toBe(counted);
  expect(result.outcome).toBe('succeeded');
  expect(proxy.seen.filter((line) => line.includes('comp=appendblock')).length).toBeGreaterThan(1);
  expect(proxy.seen.filter((line) => line.includes('result.json'))).toHaveLength(2);
});

test.concurrent('storage comes back late: attempt and result wait for it', async (context) => {
  const { world, proxy } = await open(context);
  proxy.mode = 'refuse';
  const spec = await world.spec('print("late")', { through: proxy.address });
  const { ended } = start(spec);
  await until(async () => proxy.seen.length >= 2);
  proxy.mode = 'open';
  expect((await ended).code).toBe(0);
  expect((await world.left(spec)).log.job.toString()).toBe('late\n');
});

test.concurrent('storage stays away: the shim gives up after deliverMs, with 69 before and 70 after the job', async (context) => {
  const { world, proxy } = await open(context);
  proxy.mode = 'refuse';
  const before = await start(await world.spec('print(1)', { through: proxy.address, deliverMs: 300 })).ended;
  expect(before).toMatchObject({ code: 69, said: expect.stringContaining('storage was unavailable for 0.3s') });
  proxy.decide = (line) => (line.includes('result.json') ? 'refuse' : 'open');
  const after = await start(await world.spec('print(1)', { through: proxy.address, deliverMs: 300 })).ended;
  expect(after).toMatchObject({ code: 70, said: expect.stringContaining('result was not delivered') });
});

test.concurrent('the answer to taking the attempt is lost: the shim finds its own mark there, and runs', async (context) => {
  const { world, proxy } = await open(context);
  let lost = false;
  proxy.decide = () => {
    if (lost) return 'open';
    lost = true;
    return 'deaf';
  };
  const spec = await world.spec('print(1)', { through: proxy.address });
  const { result } = await world.run(spec);
  expect(result.outcome).toBe('succeeded');
  expect((await start(spec).ended).code).toBe(75);
});

test.concurrent('where its own mark cannot be read, or is of another, nothing runs', async (context) => {
  const { world, proxy } = await open(context);
  const begin = async (permissions: string, there: string | undefined) => {
    let lost = there !== undefined;
    proxy.decide = () => {
      if (lost) return 'open';
      lost = true;
      return 'deaf';
    };
    const spec = await world.spec('print(1)', { through: proxy.address });
    spec.blobs.started = world.url(`${spec.run}/started.json`, permissions, proxy.address);
    if (there !== undefined) await world.put(`${spec.run}/started.json`, Buffer.from(there));
    expect((await start(spec).ended).code).toBe(75);
    expect(await world.exists(`${spec.run}/result.json`)).toBe(false);
  };
  await begin('c', undefined);
  await begin('cr', '{"abandonedBy":"the watch"}');
  await begin('cr', '{"token":"0123"}');
  await begin('cr', 'not JSON');
  await begin('cr', '[]');
});

test.concurrent('storage that refuses the log does not cost the result, and a short log comes with it', async (context) => {
  const { world } = await open(context);
  const spec = await world.spec('import time\nprint("kept", flush=True)\ntime.sleep(2.2)');
  spec.blobs.log = world.url(`${spec.run}/log.txt`, 'r');
  const { code, said } = await start(spec).ended;
  expect(code).toBe(0);
  expect(said).toMatch(/log is not whole: storage answers 403/);
  const { result, log } = await world.left(spec);
  expect(result.outcome).toBe('succeeded');
  expect(log.job.toString()).toBe('kept\n');
});

test.concurrent('20 MB of log wait for storage outside of memory, and arrive whole', async (context) => {
  const { world, proxy } = await open(context);
  proxy.decide = (line) => (line.includes('log.txt') && refused++ < 3 ? 'refuse' : 'open');
  let refused = 0;
  const script = `import sys, time, os
sys.stdout.write(''.join(f'line {i} of many\\n' for i in range(1000000))); sys.stdout.flush()
time.sleep(2)
for line in open(f'/proc/{os.getppid()}/status'):
    if line.startswith('VmHWM'): print(line, end='')`;
  const spec = await world.spec(script, { through: proxy.address, logLimitBytes: 100 << 20 });
  const { result, log } = await world.run(spec);
  expect(refused).toBeGreaterThan(3);
  expect(result.log).toMatchObject({ capped: false, lines: 1_000_001 });
  const lines = log.job.toString().split('\n');
  expect(lines.slice(0, 1_000_000).findIndex((line, i) => line !== `line ${i} of many`)).toBe(-1);
  expect(Number(/\d+/.exec(lines[1_000_000] as string)?.[0])).toBeLessThan(60_000);
});

test.concurrent('asked to stop while the job is still being prepared, the shim says that it never began', async (context) => {
  const { world, proxy } = await open(context);
  proxy.decide = (line) => (line.includes('bundles/') ? 'refuse' : 'open');
  const spec = await world.spec('print("never")', { through: proxy.address });
  spec.bundle.url = spec.bundle.url.replace(/127\.0\.0\.1:\d+/, proxy.address);
  const { child, ended } = start(spec);
  await until(async () => proxy.seen.filter((line) => line.includes('bundles/')).length > 1);
  child.kill('SIGTERM');
  expect((await ended).code).toBe(0);
  const { result } = await world.left(spec);
  expect(result).toMatchObject({ outcome: 'stopped', jobStartedAt: null, exitCode: null });
});
