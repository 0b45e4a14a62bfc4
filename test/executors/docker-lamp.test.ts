import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lamp, lampHome, type Running, until } from '../support/cli/lamp.ts';
import { findDocker, runtimeImage } from '../support/docker/docker.ts';

const docker = await findDocker();

/** Scores rows, and says which networks it sees and whether it is a replay. */
const scorer = (model: string) => `
import csv, os
networks = ' '.join(sorted(os.listdir('/sys/class/net')))
rows = [float(row['x']) for row in csv.DictReader(open('in.csv'))]
with open('out.csv', 'w') as file:
    file.write('score,networks,replay\\n')
    for x in rows:
        file.write(f"{${model}:.3f},{networks},{os.environ.get('JOB_REPLAY', '')}\\n")
`;

describe.skipIf(!docker)('lamp start --executor docker', () => {
  let here: Lamp;
  let image: string;
  let host: Running;
  const samples = ['pull-prospects', 'score-prospects', 'push-outbound', 'check-crm'];
  beforeAll(async () => {
    if (!docker) return;
    [here, image] = await Promise.all([lampHome(), runtimeImage(docker)]);
    for (const job of samples) {
      await cp(join(import.meta.dirname, '../../jobs', job), join(here.home, 'jobs', job), { recursive: true });
    }
    await here.job('plain', 'print(1)', 'run: { command: [python, main.py], executor: process }\n');
    await here.job(
      'boxed',
      'import os; print("pid", os.getppid())',
      'run: { command: [python, main.py], executor: docker, network: none }\n',
    );
    await here.job('long', 'import time; print("here", flush=True); time.sleep(120)');
    const tight = 'run: { command: [python, main.py], memory: 128Mi, scratch: 127Mi }\n';
    const takesTheShimAlong = `open('/proc/self/oom_score_adj', 'w').write('0')
with open('x', 'wb') as file:
    while True: file.write(bytes(1 << 16))`;
    await here.job('starved', takesTheShimAlong, tight);
    await here.job('scored', scorer('0.2 + x / 2'), 'outputs: [out.csv]\nreplay: { command: [python, main.py] }\n');
    for (const [path, text] of Object.entries({
      'in.csv': 'x\n0.5\n',
      'golden/low/input/in.csv': 'x\n0.1\n',
      'golden/low/accepted/out.csv': 'score,networks,replay\n0.250,lo,1\n',
      'golden/high/input/in.csv': 'x\n0.9\n0.8\n',
      'golden/high/accepted/out.csv': 'score,networks,replay\n0.650,lo,1\n0.600,lo,1\n',
    })) {
      const file = join(here.home, 'jobs', 'scored', path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    host = await here.start(['--executor', 'docker', '--image', image, '--allow-process', 'plain']);
  }, 120_000);
  afterAll(async () => {
    await here?.clean();
    for (const name of (await containers()) ?? []) await docker?.getContainer(name).remove({ force: true });
  });

  async function containers(): Promise<string[]> {
    const home = createHash('sha256').update(here.home).digest('hex').slice(0, 12);
    const found = await docker?.listContainers({ all: true, filters: { label: [`lamplighter.home=${home}`] } });
    return (found ?? []).map(({ Id }) => Id);
  }

  test('runs the sample jobs, one after the other, with their outputs kept', async () => {
    for (const job of samples) {
      const run = await here.json(['run', job, '--wait']);
      expect(run, JSON.stringify(run)).toMatchObject({ state: 'succeeded' });
      expect(run.attempts[0]).toMatchObject({ executor: 'docker', handle: expect.stringContaining(job) });
      expect(run.versions.image).toMatch(/^sha256:[0-9a-f]{64}$/);
      for (const { problem } of run.outputs) expect(problem).toBeNull();
    }
  });

  test('runs a job where its manifest says', async () => {
    expect((await here.json(['run', 'plain', '--wait'])).attempts[0].executor).toBe('process');
    const boxed = await here.json(['run', 'boxed', '--wait']);
    expect(boxed.attempts[0].executor).toBe('docker');
    // What it left is there as files, and what it was given to read goes with its container.
    const left = join(here.home, '.lamplighter', 'attempts', 'boxed', boxed.run.slice('boxed.'.length), '1');
    await until('its bundle is gone', async () => !(await readdir(left)).includes('in'));
    expect(await readdir(left)).toEqual(expect.arrayContaining(['log.txt', 'result.json', 'started.json']));
    expect((await here.lamp(['logs', 'boxed'])).stdout).toBe('pid 1\n');
  });

  test('replays frozen examples in a container without a network: by itself, when asked, and when the code changes', async () => {
    const last = async () => JSON.parse((await here.lamp(['replay', 'scored', '--last', '--json'])).stdout);
    const done = (reason: string) =>
      until(`a replay by ${reason} is over`, async () => {
        const { items, running } = await last();
        return running === null && items.find((one: { reason: string }) => one.reason === reason);
      });
    const run = await here.json(['run', 'scored', '--wait']);
    expect(run, JSON.stringify(run)).toMatchObject({ state: 'succeeded', outputs: [{ path: 'out.csv' }] });
    // The set is new: the service learns what differs by itself.
    const pin = await done('pin');
    expect(pin).toMatchObject({ state: 'still', changed: 0, of: 2, repeats: 5, error: null, problems: [] });
    const [replayed] = await here.json(['runs', 'scored', '--kind', 'replay']);
    expect(replayed.attempts[0]).toMatchObject({ executor: 'docker', handle: expect.stringContaining('scored') });
    expect(replayed.versions.image).toMatch(/^sha256:[0-9a-f]{64}$/);

    const asked = await here.json(['replay', 'scored', '--now', '--why', 'to be sure']);
    expect(await done('asked')).toMatchObject({ run: asked.run.slice('scored.'.length), state: 'still', repeats: 1 });

    await writeFile(join(here.home, 'jobs', 'scored', 'main.py'), scorer('0.2 + x / 3'));
    expect(await done('confirm')).toMatchObject({ state: 'moved', changed: 2, of: 2, error: null });
    expect((await last()).items[0].worst[0]).toMatchObject({ file: 'out.csv', path: 'row 0.score' });
    expect((await here.lamp(['drift', 'scored'])).stdout).toContain('2 of 2 frozen examples get another answer');
    // Neither a run of the job nor a container is left of it.
    expect(await here.json(['runs', 'scored'])).toHaveLength(1);
  });

  test('says at once that a job ran out of memory, even when its shim was killed with it', async () => {
    const began = Date.now();
    const { code, stdout } = await here.process(['run', 'starved', '--wait', '--json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([
      137,
      {
        state: 'failed',
        attempts: [
          { exitCode: 137, errorClass: 'memory', error: expect.stringContaining('out of memory (limit 128Mi)') },
        ],
      },
    ]);
    expect(Date.now() - began).toBeLessThan(15_000);
  });

  test('ends a run that is cancelled', async () => {
    const { run } = await here.json(['run', 'long']);
    await until('it runs', async () => (await here.json(['show', run])).state === 'running');
    await here.lamp(['cancel', run]);
    await until('it is cancelled', async () => (await here.json(['show', run])).state === 'cancelled');
  });

  test('killed and started again takes over what runs, also when it runs plain processes now', async () => {
    const { run } = await here.json(['run', 'long']);
    await until('it runs', async () => (await here.lamp(['logs', run])).stdout.includes('here'));
    host.child.kill('SIGKILL');
    await host.ended;
    host = await here.start(['--image', image]);
    await here.lamp(['cancel', run]);
    await until('it is cancelled', async () => (await here.json(['show', run])).state === 'cancelled');
    await until('no container is left', async () => (await containers()).length === 0);
  });

  test('without the image does not start, and says how to build it', async () => {
    host.child.kill('SIGTERM');
    await host.ended;
    const { code, stderr } = await here.process(['start', '--port', '0', '--executor', 'docker', '--image', 'nowhere']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Docker has no image nowhere: build it with lamp image build --base/);
  });
});
