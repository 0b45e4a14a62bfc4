import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Executor } from '../../../shared/executors/executor.ts';
import type { AttemptSpec } from '../../../shared/run/attempt.ts';
import type { Folder } from '../shim/folder.ts';
import { until, World } from '../shim/shim.ts';

/** One backend under test, with the real shim behind it. */
export interface Subject {
  executor: Executor;
  /**
   * Starts the attempt from a host of its own that dies at once, without a chance to clean up.
   * @returns the handle that it was given
   */
  startAndDie(spec: AttemptSpec): Promise<string>;
  /** Where its attempts leave what they leave; not given: a storage account. */
  folder?: Folder;
  /** Jobs see the disk of this machine. */
  sharesDisk: boolean;
  close?(): Promise<void>;
}

const shortly = 10_000;

/** What every executor promises; see shared/executors/executor.ts. */
export function executorContract(name: string, make: () => Promise<Subject>): void {
  // Attempts are mostly waited for: all at once.
  describe.concurrent(`the ${name} executor`, () => {
    let world: World | Folder;
    let subject: Subject;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'contract-'));
      subject = await make();
      world = subject.folder ?? (await World.create());
    });
    afterAll(async () => {
      await subject.close?.();
      await rm(folder, { recursive: true, force: true });
    });

    const ref = ({ job, run, attempt }: AttemptSpec, handle: string | null) => ({ job, run, attempt, handle });
    const result = async (spec: AttemptSpec) => {
      await until(() => world.has(spec, 'result.json'));
      return (await world.left(spec)).result;
    };
    const begun = (spec: AttemptSpec) => until(() => world.has(spec, 'started.json'));
    const gone = (spec: AttemptSpec, handle: string) =>
      until(async () => (await subject.executor.status(ref(spec, handle))) !== 'running');
    const patient = 'import time\nprint("here", flush=True)\ntime.sleep(60)\n';

    test('runs an attempt to its result', { timeout: shortly }, async () => {
      const spec = await world.spec('print("hello")');
      const handle = await subject.executor.start(spec);
      expect(handle).not.toBe('');
      expect(await result(spec)).toMatchObject({ outcome: 'succeeded', exitCode: 0, log: { lines: 1 } });
    });

    test('says how a job failed', { timeout: shortly }, async () => {
      const spec = await world.spec('raise SystemExit(3)');
      await subject.executor.start(spec);
      expect(await result(spec)).toMatchObject({ outcome: 'failed', exitCode: 3 });
    });

    test('started twice with the same attempt, runs it once', { timeout: shortly }, async () => {
      const marks = join(folder, 'marks');
      const mark = subject.sharesDisk ? `open(${JSON.stringify(marks)}, 'a').write('ran\\n')\n` : '';
      const spec = await world.spec(`import time\n${mark}print('ran')\ntime.sleep(0.5)\n`);
      const handles = await Promise.all([subject.executor.start(spec), subject.executor.start(spec)]);
      handles.push(await subject.executor.start(spec));
      expect((await result(spec)).outcome).toBe('succeeded');
      await Promise.all(handles.map((handle) => gone(spec, handle)));
      expect((await world.left(spec)).log.job.toString()).toBe('ran\n');
      if (subject.sharesDisk) expect(await readFile(marks, 'utf8')).toBe('ran\n');
    });

    test('knows an attempt while it runs, and no longer when it is over', { timeout: shortly }, async () => {
      const spec = await world.spec(patient);
      const handle = await subject.executor.start(spec);
      await begun(spec);
      expect(await subject.executor.status(ref(spec, handle))).toBe('running');
      await subject.executor.stop(ref(spec, handle));
      await gone(spec, handle);
      expect(['ended', 'unknown']).toContain(await subject.executor.status(ref(spec, handle)));
    });

    test('knows nothing of an attempt that it never started', async () => {
      const spec = await world.spec('');
      expect(await subject.executor.status(ref(spec, null))).toBe('unknown');
    });

    test('stops an attempt when asked, which then says so; asking again is fine', { timeout: shortly }, async () => {
      const spec = await world.spec(patient);
      const handle = await subject.executor.start(spec);
      await begun(spec);
      await subject.executor.stop(ref(spec, handle));
      expect((await result(spec)).outcome).toBe('stopped');
      await gone(spec, handle);
      await subject.executor.stop(ref(spec, handle));
    });

    test('lets an attempt outlive the host that started it, and another find it', {
      timeout: 3 * shortly,
    }, async () => {
      const spec = await world.spec('import time\ntime.sleep(1.5)\nprint("survived")\n');
      const handle = await subject.startAndDie(spec);
      await begun(spec);
      expect(await subject.executor.status(ref(spec, handle))).toBe('running');
      expect((await result(spec)).outcome).toBe('succeeded');
    });

    // The environment is one.
    test('keeps the credentials of the host from the job and its shim', {
      concurrent: false,
      timeout: shortly,
    }, async () => {
      process.env.AZURE_CLIENT_SECRET = 'host-credential';
      process.env.LAMPLIGHTER_SECRET_X = 'host-credential';
      process.env.LAMPLIGHTER_STORAGE = 'host-credential';
      const look =
        'import os\nseen = str(dict(os.environ))\n' +
        'try: seen += open(f"/proc/{os.getppid()}/environ").read()\nexcept OSError: pass\n' +
        'raise SystemExit(9 if "host-credential" in seen else 0)\n';
      const spec = await world.spec(look);
      await subject.executor.start(spec);
      expect((await result(spec)).exitCode).toBe(0);
      for (const name of ['AZURE_CLIENT_SECRET', 'LAMPLIGHTER_SECRET_X', 'LAMPLIGHTER_STORAGE'])
        delete process.env[name];
    });
  });
}
