import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DockerExecutor } from '../../shared/executors/docker/docker.ts';
import { findDocker, runtimeImage, store } from '../support/docker/docker.ts';
import { Yard } from '../support/docker/docker-world.ts';

const docker = await findDocker();
const mega = 1024 ** 2;

describe.skipIf(!docker)('a job in a container', () => {
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
    const left = await yard?.containers();
    await yard?.close();
    expect(left ?? []).toEqual([]);
    expect(yard?.troubles ?? []).toEqual([]);
  });

  /** Runs the script and reads the JSON it prints. */
  async function answer(script: string, over: Parameters<Yard['spec']>[1] = {}) {
    const { result, log } = await yard.run(executor, await yard.spec(script, over));
    expect(result.error).toBeNull();
    return JSON.parse(log.job.toString());
  }
  /** Python that tries something and names the error, or says "done". */
  const attempts = (things: Record<string, string>) =>
    `import ctypes, errno, json, os, socket, subprocess, sys, time
def attempt(f):
    try: f()
    except OSError as error: return errno.errorcode[error.errno]
    return 'done'
def call(name, *args):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*args) != 0: raise OSError(ctypes.get_errno(), name)
print(json.dumps({${Object.entries(things)
      .map(([name, code]) => `'${name}': attempt(lambda: ${code})`)
      .join(', ')}}))`;

  test('can write where it runs, and nowhere else', async () => {
    const places = ['/x', '/etc/passwd', '/opt/lamplighter/lamplighter_shim/x', '/usr/bin/x', '/run/lamplighter/x'];
    const tried = Object.fromEntries(['x', '/tmp/x', ...places].map((path) => [path, `open('${path}', 'w')`]));
    const said = await answer(attempts(tried));
    for (const path of places) expect(['EROFS', 'EACCES'], path).toContain(said[path]);
    expect(said).toMatchObject({ x: 'done', '/tmp/x': 'done' });
  });

  test('is an ordinary user without any privilege, and cannot get one', async () => {
    const said = await answer(
      attempts({
        root: 'os.setuid(0)',
        mount: "call('mount', b'none', b'/tmp', b'tmpfs', 0, None)",
        raw: 'socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)',
        clock: 'time.clock_settime(time.CLOCK_REALTIME, 0)',
        chown: "os.chown('.', 0, 0)",
        device: "os.mknod('/tmp/disk', 0o60600, os.makedev(254, 0))",
        memory: "open('/proc/1/mem', 'rb')",
        environment: "open('/proc/1/environ', 'rb')",
      }),
    );
    for (const [what, how] of Object.entries(said)) expect(['EPERM', 'EACCES'], what).toContain(how);
    const status = await answer(
      `import json; print(json.dumps(dict(line.split(':\\t') for line in open('/proc/self/status').read().split('\\n') if ':\\t' in line)))`,
    );
    expect(status).toMatchObject({ CapEff: '0000000000000000', CapBnd: '0000000000000000', NoNewPrivs: '1' });
    expect(status.Uid.split('\t')).toEqual(['10001', '10001', '10001', '10001']);
  });

  test('cannot kill the shim that watches it', async () => {
    expect(await answer("import os; os.kill(1, 9); os.kill(1, 15) if 0 else None; print('1')")).toBe(1);
  });

  test('without network has none, and its log and result are kept all the same', async () => {
    const { port } = new URL(store());
    const reach = { host: `socket.create_connection(('127.0.0.1', ${port}), 2)` };
    const out = { world: "socket.create_connection(('192.0.2.1', 80), 2)" };
    expect(await answer(attempts({ ...reach, ...out }))).toEqual({ host: 'ECONNREFUSED', world: 'ENETUNREACH' });
    const interfaces = 'import json, socket; print(json.dumps([name for _, name in socket.if_nameindex()]))';
    expect(await answer(interfaces)).toEqual(['lo']);
    expect(await answer(interfaces, { limits: { network: 'bridge' } })).toContain('eth0');
    expect(await answer(attempts(reach), { limits: { network: 'host' } })).toEqual({ host: 'done' });
  });

  test('gets no more processes and processor time than its manifest says', async () => {
    const forks = `import json, os, signal
children = []
try:
    while len(children) < 1000:
        pid = os.fork()
        if pid == 0: signal.pause()
        children.append(pid)
except BlockingIOError: pass
print(json.dumps(len(children)))`;
    const made = await answer(forks, { limits: { pids: 20 } });
    expect(made).toBeGreaterThan(10);
    expect(made).toBeLessThan(20);
    const burn = `import json, time
began = time.monotonic()
while time.monotonic() - began < 3: pass
print(json.dumps(time.process_time()))`;
    expect(await answer(burn, { limits: { cpu: 0.25 } })).toBeLessThan(1.2);
  });

  test('leaves no zombies behind while it runs: a thousand orphans fit a limit of 32', async () => {
    const orphans = `import os, time
for _ in range(1000):
    pid = os.fork()
    if pid == 0:
        for attempt in range(200):
            try:
                if os.fork() == 0: os._exit(0)
                break
            except BlockingIOError: time.sleep(0.01)
        else: os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
print(1)`;
    expect(await answer(orphans, { limits: { pids: 32 } })).toBe(1);
  });

  test('beyond its memory is killed, and reported so with the limit', async () => {
    const { result } = await yard.run(executor, await yard.spec("print('loading'); x = b'x' * 10 ** 9"));
    expect(result).toMatchObject({
      outcome: 'failed',
      exitCode: 137,
      signal: 'SIGKILL',
      error: { class: 'memory', message: expect.stringContaining('out of memory (limit 256Mi)'), detail: 'loading' },
    });
  });

  test('whose child is killed for lack of memory is reported the same, not an exit code', async () => {
    const script = `import subprocess, sys
subprocess.run([sys.executable, '-c', "x = b'x' * 10 ** 9"], check=True)`;
    const { result } = await yard.run(executor, await yard.spec(script));
    expect(result).toMatchObject({ outcome: 'failed', error: { class: 'memory' } });
    expect(result.error?.message).toMatch(/^out of memory \(limit 256Mi\)/);
    // The kernel chooses whom to kill; now and then it is the script itself.
    expect([1, 137]).toContain(result.exitCode);
    if (result.exitCode === 1) expect(result.error?.detail).toContain('CalledProcessError');
  });

  const filler = "with open('x', 'wb') as file:\n    while True: file.write(bytes(1 << 16))";
  const tight = { memoryBytes: 64 * mega, scratchBytes: 64 * mega };

  test('that fills its memory with files is killed, and the shim still says why', async () => {
    const { result } = await yard.run(executor, await yard.spec(filler, { limits: tight }));
    expect(result).toMatchObject({ exitCode: 137, error: { class: 'memory' } });
    expect(result.error?.message).toMatch(/^out of memory \(limit 64Mi\)/);
  });

  test('that brings even the shim down is reported by the daemon', async () => {
    const script = `open('/proc/self/oom_score_adj', 'w').write('0')\n${filler}`;
    const spec = await yard.spec(script, { limits: tight });
    const over = yard.endOf(spec);
    await executor.start(spec);
    await over;
    expect(await executor.status({ ...spec, handle: null })).toBe('out-of-memory');
    expect(await yard.store.has(spec, 'result.json')).toBe(false);
  });

  test('gets its specification in a way that no one who may inspect containers can read', async () => {
    const script = "import os, time; open('/tmp/there', 'w'); print(os.environ['KEY']); time.sleep(30)";
    const spec = await yard.spec(script, { secrets: { KEY: 'hunter2-hunter2' } });
    const over = yard.endOf(spec);
    await executor.start(spec);
    const inspected = JSON.stringify(await yard.container(spec).inspect());
    expect(inspected).toContain('job-');
    expect(inspected).not.toMatch(/hunter2|sig=|sv=/);
    expect(JSON.stringify(await yard.container(spec).top())).not.toMatch(/hunter2|sig=/);
    await executor.stop({ ...spec, handle: null });
    await over;
    const { log } = await yard.store.left(spec);
    expect(log.bytes.toString()).not.toContain('hunter2');
  });
});
