import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Folder } from '../support/shim/folder.ts';
import { python, shim } from '../support/shim/shim.ts';

test('a forked shim imports nothing more: not for a log, metrics, an output and a failure', async () => {
  const store = await Folder.create();
  const script =
    'import os\nopen("a.csv", "w").write("x\\n1\\n")\nopen(os.environ["JOB_METRICS"], "w").write("rows=1\\n")\n1 / 0';
  const spec = await store.spec(script, { outputs: ['a.csv'], secrets: { KEY: 'a secret value' } });
  const life = `
import json, os, sys
sys.path.append(${JSON.stringify(dirname(shim))})
from lamplighter_shim import prefork
prefork.load()
before = set(sys.modules)
code = prefork.run(json.loads(os.read(0, 1 << 20)))
print(code, sorted(set(sys.modules) - before))
`;
  const running = promisify(execFile)(python, ['-I', '-S', '-c', life]);
  running.child.stdin?.end(JSON.stringify(spec));
  expect((await running).stdout.trim()).toBe('0 []');
  expect(await store.result(spec)).toMatchObject({ outcome: 'failed', metrics: { rows: 1 }, outputs: [{ bytes: 4 }] });
});
