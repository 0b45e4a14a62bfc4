import { once } from 'node:events';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { containerOptions } from '../../shared/executors/docker/container.ts';
import type { DockerExecutor } from '../../shared/executors/docker/docker.ts';
import type { AttemptSpec } from '../../shared/run/attempt.ts';
import { Daemon, emptyImage, findDocker, runtimeImage } from '../support/docker/docker.ts';
import { usual, Yard } from '../support/docker/docker-world.ts';
import { executorContract } from '../support/pipeline/executor-contract.ts';
import { until } from '../support/shim/shim.ts';

const docker = await findDocker();
const patient = "import time; print('begun', flush=True); time.sleep(60)";
const ref = (spec: AttemptSpec) => ({ job: spec.job, run: spec.run, attempt: spec.attempt, handle: null });

if (docker) {
  executorContract('Docker', async () => {
    const yard = await Yard.create(docker, await runtimeImage(docker));
    const executor = yard.host();
    await executor.adopt();
    return {
      executor,
      folder: yard.store,
      sharesDisk: false,
      startAndDie: (spec) => yard.startAndDie(spec),
      async close() {
        executor.stopAll();
        await executor.idle();
        await yard.close();
      },
    };
  });
}

// To start and to stop a container is mostly waiting.
describe('a host of containers', { concurrent: true, skip: !docker }, () => {
  let image: string;
  beforeAll(async () => {
    if (docker) image = await runtimeImage(docker);
  });

  async function open({ onTestFinished }: TestContext): Promise<{ yard: Yard; executor: DockerExecutor }> {
    if (!docker) throw new Error('no daemon');
    const yard = await Yard.create(docker, image);
    onTestFinished(() => yard.close());
    const executor = yard.host();
    await executor.adopt();
    return { yard, executor };
  }
  const begun = (yard: Yard, spec: AttemptSpec) => until(() => yard.store.has(spec, 'log.txt'));

  test('starts an attempt once, however often it is asked to', async (context) => {
    const { yard, executor } = await open(context);
    const spec = await yard.spec(patient);
    const handles = await Promise.all([executor.start(spec), executor.start(spec)]);
    expect(handles[1]).toBe(handles[0]);
    expect(await yard.containers()).toEqual([handles[0]]);
    expect(executor.running()).toBe(1);
    await begun(yard, spec);
    expect(await executor.start(spec)).toBe(handles[0]);
    const over = yard.endOf(spec);
    await executor.stop(ref(spec));
    await over;
    await until(async () => (await yard.containers()).length === 0);
    // Its container is gone: another is made, finds the attempt taken, and leaves.
    const again = yard.endOf(spec);
    await executor.start(spec);
    await again;
    expect((await yard.store.left(spec)).log.job.toString()).toBe('begun\n');
    expect(await yard.shimLog).toContain('attempt 1 is taken already');
    expect(await executor.status(ref(spec))).toBe('unknown');
  });

  test('says running from ended from unknown, and an end is still known when the container is gone', async (context) => {
    const { yard, executor } = await open(context);
    const spec = await yard.spec(patient);
    expect(await executor.status(ref(spec))).toBe('unknown');
    await executor.start(spec);
    expect(await executor.status(ref(spec))).toBe('running');
    const over = yard.endOf(spec);
    // A shim that hears the stop leaves a result.
    await begun(yard, spec);
    await executor.stop(ref(spec));
    await over;
    expect(await executor.status(ref(spec))).toBe('ended');
    await until(async () => (await yard.containers()).length === 0);
    expect(await executor.status(ref(spec))).toBe('ended');
    expect((await yard.store.left(spec)).result.outcome).toBe('stopped');
    await executor.stop(ref(spec));
    await executor.stop({ ...ref(spec), run: 'never' });
  });

  test('asked to stop right after the start, when the shim cannot hear yet, stops all the same', async (context) => {
    const { yard, executor } = await open(context);
    const spec = await yard.spec(patient, { timeoutMs: 60_000 });
    const over = yard.endOf(spec);
    await executor.start(spec);
    const asked = Date.now();
    await executor.stop(ref(spec));
    await over;
    expect(Date.now() - asked).toBeLessThan(6_000);
  });

  test('lets everything end before it is idle, and leaves no container', async (context) => {
    const { yard, executor } = await open(context);
    await executor.idle();
    const specs = await Promise.all([yard.spec(patient), yard.spec("print('short')"), yard.spec(patient)]);
    await Promise.all(specs.map((spec) => executor.start(spec)));
    expect(executor.running()).toBeGreaterThan(1);
    await Promise.all([begun(yard, specs[0]), begun(yard, specs[2])]);
    executor.stopAll();
    await executor.idle();
    expect(executor.running()).toBe(0);
    await executor.close();
    expect(yard.ends).toHaveLength(3);
    expect(await yard.containers()).toEqual([]);
  });

  test('notices a container that another host has killed or removed', async (context) => {
    const { yard, executor } = await open(context);
    const [killed, removed] = [await yard.spec(patient), await yard.spec(patient)];
    for (const spec of [killed, removed]) {
      await executor.start(spec);
      await begun(yard, spec);
    }
    const over = Promise.all([yard.endOf(killed), yard.endOf(removed)]);
    await yard.container(killed).kill();
    await yard.container(removed).remove({ force: true });
    await over;
    expect(await executor.status(ref(killed))).toBe('ended');
    await executor.idle();
  });

  test('says what to do when the image is missing, or is none for jobs', async (context) => {
    const { yard } = await open(context);
    const spec = await yard.spec('');
    await expect(yard.host({ image: 'nowhere:1' }).start(spec)).rejects.toMatchObject({
      class: 'infrastructure',
      message: expect.stringContaining('Docker has no image nowhere:1: build it with lamp image build'),
    });
    await expect(yard.host({ image: 'nowhere:1' }).adopt()).rejects.toMatchObject({ class: 'infrastructure' });
    await expect(yard.host({ image: await emptyImage(yard.docker) }).start(spec)).rejects.toMatchObject({
      class: 'configuration',
      message: expect.stringContaining('it needs python3 and the shim'),
    });
    expect(await yard.containers()).toEqual([]);
  });

  test('says where the daemon should be when it does not answer, and never takes that for "unknown"', async (context) => {
    const { yard } = await open(context);
    const spec = await yard.spec('');
    const lost = yard.host({ docker: new Docker({ socketPath: '/run/no one-listens.sock' }) });
    await expect(lost.start(spec)).rejects.toMatchObject({
      class: 'infrastructure',
      message: expect.stringMatching(/^Docker does not answer at unix:\/\/\/run\/no one-listens.sock \(ENOENT\)/),
    });
    await expect(lost.status(ref(spec))).rejects.toThrow();
    await expect(lost.stop(ref(spec))).rejects.toThrow();
    await expect(lost.adopt()).rejects.toThrow(/does not answer/);
  });

  test('finds the containers of a host that was killed: the running go on, the ended are reported, the unmade removed', async (context) => {
    const { yard, executor } = await open(context);
    await executor.close();
    const [long, short] = [await yard.spec(patient), await yard.spec("print('short')")];
    for (const spec of [long, short]) await yard.startAndDie(spec);
    await begun(yard, long);
    await until(async () => !(await yard.container(short).inspect()).State.Running);
    const unmade = { job: 'unmade', run: 'r', attempt: 1 };
    const place = { image, home: yard.home, host: '1:1', mount: null, user: '10001:10001' };
    await yard.docker.createContainer(containerOptions(unmade, usual, place));
    const other = { ...place, home: 'somebodyelse' };
    const foreign = await yard.docker.createContainer(containerOptions(unmade, usual, other));
    context.onTestFinished(() => foreign.remove());

    const reported = yard.endOf(short);
    const heir = yard.host();
    await heir.adopt();
    await reported;
    expect(heir.running()).toBe(1);
    expect(await heir.status(ref(long))).toBe('running');
    const over = yard.endOf(long);
    await heir.stop(ref(long));
    await over;
    expect((await yard.store.left(long)).result.outcome).toBe('stopped');
    expect((await yard.store.left(short)).result.outcome).toBe('succeeded');
    await heir.idle();
    await heir.close();
    expect(await yard.containers()).toEqual([]);
    expect((await foreign.inspect()).State.Status).toBe('created');
  });

  test('leaves the containers of another host that lives to it', async (context) => {
    const { yard, executor } = await open(context);
    const spec = await yard.spec(patient);
    const { victim } = await yard.startElsewhere(spec);
    const second = yard.host();
    await second.adopt();
    expect([executor.running(), second.running()]).toEqual([0, 0]);
    await begun(yard, spec);
    victim.kill('SIGKILL');
    await once(victim, 'exit');
    const over = yard.endOf(spec);
    await second.stop(ref(spec));
    await over;
  });
});

describe.skipIf(!docker || process.getuid?.() !== 0)('when the daemon ends and comes back', () => {
  let daemon: Daemon;
  let yard: Yard;
  beforeAll(async () => {
    daemon = await Daemon.create();
    yard = await Yard.create(daemon.docker, await runtimeImage(daemon.docker));
  }, 60_000);
  afterAll(async () => {
    await yard?.close();
    await daemon?.remove();
  });

  test('what it stopped is reported, nothing counts as unknown meanwhile, and jobs start again', async () => {
    const executor = yard.host();
    await executor.adopt();
    const spec = await yard.spec(patient);
    await executor.start(spec);
    await until(() => yard.store.has(spec, 'log.txt'));
    await daemon.stop();
    expect((await yard.store.left(spec)).result.outcome).toBe('stopped');
    await expect(executor.status(ref(spec))).rejects.toThrow();
    const next = await yard.spec("print('again')");
    await expect(executor.start(next)).rejects.toMatchObject({ class: 'infrastructure' });
    expect(yard.troubles.map(String).join()).toMatch(/Docker does not answer/);
    const over = yard.ends.length > 0 ? Promise.resolve() : yard.endOf(spec);
    await daemon.start();
    await over;
    const { result } = await yard.run(executor, next);
    expect(result.outcome).toBe('succeeded');
    await executor.idle();
    await executor.close();
    expect(await yard.containers()).toEqual([]);
  });
});
