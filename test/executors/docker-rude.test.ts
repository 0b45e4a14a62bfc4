import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DockerExecutor } from '../../shared/executors/docker/docker.ts';
import { findDocker, runtimeImage } from '../support/docker/docker.ts';
import { Yard } from '../support/docker/docker-world.ts';
import { until } from '../support/shim/shim.ts';

const docker = await findDocker();
const mega = 1024 ** 2;

describe.skipIf(!docker)('beside a calm job in a container of its own', () => {
  let yard: Yard;
  let executor: DockerExecutor;
  beforeAll(async () => {
    if (!docker) return;
    yard = await Yard.create(docker, await runtimeImage(docker));
    executor = yard.host();
    await executor.adopt();
  });
  afterAll(async () => {
    await executor?.close();
    expect((await yard?.containers()) ?? []).toEqual([]);
    await yard?.close();
  });

  /** Runs the rude script while a calm one works on files, processes and memory of its own, and waits for both. */
  async function beside(script: string, over: Parameters<Yard['spec']>[1] = {}) {
    const calm = await yard.spec(
      `import os, subprocess, sys, time
held = bytearray(b'x') * (50 << 20)
for turn in range(10):
    open(f'file-{turn}', 'wb').write(bytes(1 << 20))
    subprocess.run([sys.executable, '-I', '-S', '-c', ''], check=True)
    time.sleep(0.1)
print(sum(os.path.getsize(name) for name in os.listdir('.') if name.startswith('file')) >> 20, len(held) >> 20)`,
    );
    const [rude, steady] = await Promise.all([
      yard.run(executor, await yard.spec(script, over)),
      yard.run(executor, calm),
    ]);
    expect(steady.result).toMatchObject({ outcome: 'succeeded', error: null });
    expect(steady.log.job.toString()).toBe('10 50\n');
    return rude;
  }

  test('a fork bomb is held at its limit, ends at its time limit, and leaves nothing', async () => {
    const bomb = `import os, time
while True:
    try: os.fork()
    except OSError: time.sleep(0.01)`;
    const { result } = await beside(bomb, { timeoutMs: 2_000, limits: { pids: 100 } });
    expect(result).toMatchObject({ outcome: 'timed-out', error: { class: 'timeout' } });
  });

  test('a fork bomb whose first process ends at once is over with it', async () => {
    const bomb = `import os, time
if os.fork() == 0:
    os.setsid()
    while True:
        try: os.fork()
        except OSError: pass
time.sleep(1)
print('bye')`;
    const { result, log } = await beside(bomb, { limits: { pids: 100 } });
    expect(result.outcome).toBe('succeeded');
    expect(log.ours.join()).toMatch(/9\d processes left behind by the job: SIGKILL/);
  });

  test('a memory hog is killed alone', async () => {
    const { result } = await beside("held = []\nwhile True: held.append(b'x' * (10 << 20))");
    expect(result).toMatchObject({ exitCode: 137, error: { class: 'memory' } });
  });

  test('a disk filler finds the end of its own room', async () => {
    const filler = "file = open('/tmp/big', 'wb')\nwhile True: file.write(bytes(1 << 20)); file.flush()";
    const { result } = await beside(filler, { limits: { scratchBytes: 32 * mega } });
    expect(result).toMatchObject({ outcome: 'failed', exitCode: 1, error: { class: 'application' } });
    expect(result.error?.message).toBe('OSError: [Errno 28] No space left on device');
  });

  test('a maker of a million empty files is stopped by its memory', async () => {
    const maker = "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close(); n += 1";
    const { result } = await beside(maker, { timeoutMs: 30_000, limits: { memoryBytes: 64 * mega } });
    expect(result.outcome).toBe('failed');
    expect(result.error?.message).toMatch(/out of memory \(limit 64Mi\)|No space left on device/);
  });

  test('a job that ignores SIGTERM is killed after its grace', async () => {
    const deaf = `import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
print('deaf', flush=True)
while True: time.sleep(1)`;
    const spec = await yard.spec(deaf, { graceMs: 500 });
    const over = yard.endOf(spec);
    await executor.start(spec);
    await until(() => yard.store.has(spec, 'log.txt'));
    const asked = Date.now();
    await executor.stop({ ...spec, handle: null });
    await over;
    expect(Date.now() - asked).toBeLessThan(6_000);
    const { result, log } = await yard.store.left(spec);
    expect(result).toMatchObject({ outcome: 'stopped', signal: 'SIGKILL' });
    expect(log.ours.join()).toContain('still running 0.5s after SIGTERM');
  });

  test('1 GB of log is counted to the last byte, and kept up to its limit', async () => {
    const writer = `import sys
block = (b'y' * 99 + b'\\n') * 10_000
for _ in range(1000): sys.stdout.buffer.write(block)`;
    const { result, log } = await beside(writer, { logLimitBytes: 2 * mega, timeoutMs: 60_000 });
    expect(result).toMatchObject({ outcome: 'succeeded', log: { bytes: 1e9, lines: 1e7, capped: true } });
    expect(log.bytes.length).toBeLessThan(2.1 * mega);
  });

  test('100 MB without a line end pass in bounded memory', async () => {
    const writer = "import sys\nfor _ in range(100): sys.stdout.buffer.write(b'z' * 10 ** 6)";
    const { result } = await beside(writer, { logLimitBytes: 2 * mega, limits: { memoryBytes: 64 * mega } });
    expect(result).toMatchObject({ outcome: 'succeeded', log: { bytes: 1e8, capped: true } });
  });

  test('invalid UTF-8 and NUL are kept as they are', async () => {
    const { log } = await beside("import sys\nsys.stdout.buffer.write(b'a\\xff\\xfe\\0b\\xed\\xa0\\x80\\n\\0\\0')");
    expect(log.job.toString('latin1')).toBe('a\xff\xfe\0b\xed\xa0\x80\n\0\0\n');
  });
});
