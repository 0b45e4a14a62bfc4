import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findPython } from '../../shared/executors/process/python.ts';

/**
 * How fast secrets are taken out of an ordinary log, in MB/s of CPU time (what others do on the machine counts not) and
 * of real time, the best of `--rounds` each:
 *
 *   node test/bench/redactor.ts [--mb 16] [--rounds 5]      fails below 50 MB/s with 5 secrets and chunks of 64 KiB
 */
const { values } = parseArgs({
  options: { mb: { type: 'string', default: '16' }, rounds: { type: 'string', default: '5' } },
});
const floor = 50;
const program = String.raw`
import json, random, sys, time
sys.path.insert(0, sys.argv[1])
from lamplighter_shim.redact import Redactor

r = random.Random(1)
words = [''.join(r.choices('etaoinshrdlucmfwypvbgkjqxz0123456789', k=r.randint(1, 9))) for _ in range(3000)]
lines = (f'2026-11-20 07:00:00 INFO row {i} ' + ' '.join(r.choices(words, k=9)) for i in range(40000))
log = '\n'.join(lines).encode()
log = (log * (int(sys.argv[2]) * 1000000 // len(log) + 1))[: int(sys.argv[2]) * 1000000]
signs = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/='
for count in (1, 5, 20):
    secrets = {f'S{i}': ''.join(r.choices(signs, k=r.choice((20, 32, 40, 88)))) for i in range(count)}
    for size in (65536, 262144):
        took = []
        for _ in range(int(sys.argv[3])):
            redactor = Redactor(secrets)
            began, used = time.perf_counter(), time.process_time()
            for at in range(0, len(log), size):
                redactor.feed(log[at : at + size])
            redactor.finish()
            took.append((time.process_time() - used, time.perf_counter() - began))
        cpu, real = (len(log) / 1e6 / min(times) for times in zip(*took))
        print(json.dumps({'secrets': count, 'chunkKiB': size >> 10, 'cpu': round(cpu), 'real': round(real)}))
`;
const runtime = join(import.meta.dirname, '../../infra/runtime');
const { stdout, stderr } = spawnSync(await findPython(), ['-', runtime, values.mb, values.rounds], {
  input: program,
  encoding: 'utf8',
});
if (stderr) throw new Error(stderr);
const rows: { secrets: number; chunkKiB: number; cpu: number; real: number }[] = stdout
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
for (const { secrets, chunkKiB, cpu, real } of rows) {
  console.log(`${secrets} secrets · chunks of ${chunkKiB} KiB · ${cpu} MB/s of CPU · ${real} MB/s`);
}
const asked = rows.find(({ secrets, chunkKiB }) => secrets === 5 && chunkKiB === 64);
if (!asked || asked.cpu < floor) {
  console.error(`below ${floor} MB/s with 5 secrets and chunks of 64 KiB`);
  process.exitCode = 1;
}
