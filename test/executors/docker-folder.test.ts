import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DockerExecutor } from '../../shared/executors/docker/docker.ts';
import type { AttemptSpec } from '../../shared/run/attempt.ts';
import { findDocker, runtimeImage } from '../support/docker/docker.ts';
import { Yard } from '../support/docker/docker-world.ts';

const docker = await findDocker();
const folderOf = (spec: AttemptSpec) => dirname(fileURLToPath(spec.blobs.started));

describe.skipIf(!docker)('a container whose store is a folder', () => {
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
    await yard?.close();
    expect(yard?.troubles ?? []).toEqual([]);
  });

  async function run(...given: Parameters<Yard['spec']>) {
    const spec = await yard.spec(...given);
    return { spec, ...(await yard.run(executor, spec)) };
  }

  test('leaves log, result and outputs without a network, and nothing of what it was given to read', async () => {
    const { spec, result, log } = await run('print("hello")\nopen("a.csv", "w").write("x\\n1\\n")', {
      outputs: ['a.csv'],
    });
    expect(result).toMatchObject({ outcome: 'succeeded', outputs: [{ path: 'a.csv', bytes: 4 }] });
    expect(log.job.toString()).toBe('hello\n');
    expect((await readdir(folderOf(spec))).sort()).toEqual(['log.txt', 'outputs', 'result.json', 'started.json']);
    expect(await readFile(join(folderOf(spec), 'outputs/a.csv'), 'utf8')).toBe('x\n1\n');
    expect((await stat(folderOf(spec))).mode & 0o777).toBe(0o700);
  });

  test('sees its own folder and no other attempt', async () => {
    const { log } = await run('import os\nprint(sorted(os.listdir("/run/lamplighter")), os.getuid() != 0)');
    expect(log.job.toString()).toBe("['in', 'started.json'] True\n");
  });

  test('gets its inputs, and says which one is missing', async () => {
    const first = await run('open("people.csv", "w").write("name\\n")', { outputs: ['people.csv'] });
    const [kept] = first.result.outputs;
    const input = { path: 'people.csv', url: first.spec.outputs[0]?.url as string, sha256: kept?.sha256 as string };
    const second = await run('print(open("people.csv").read(), end="")', { inputs: [input] });
    expect(second.log.job.toString()).toBe('name\n');
    const gone = await run('print(1)', { inputs: [{ ...input, url: `${input.url}.gone` }] });
    expect(gone.result.error?.message).toContain('input people.csv could not be fetched');
  });

  test('cannot write there: its disk is the room it was promised', async () => {
    const { log } = await run(`import os
for what in ('more', 'result.json', 'log.txt', 'in/0'):
    try:
        open(f'/run/lamplighter/{what}', 'w').write('x'); print('written', what)
    except OSError as error: print(type(error).__name__)
os.makedirs('deep/er'); open('deep/a', 'w').write('x'); os.rename('deep/a', 'deep/er/b')
open('/dev/shm/x', 'w').write('x'); open('/dev/null', 'w').write('x')
print('as usual')`);
    expect(log.job.toString()).toBe(`${'PermissionError\n'.repeat(4)}as usual\n`);
  });
});
