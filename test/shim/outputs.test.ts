import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { World, zip } from '../support/shim/shim.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
});

/** Runs a script that has `m`, the open metrics file, and reads what was taken of it. */
async function metrics(script: string) {
  const { result } = await world.run(await world.spec(`import os, json\nm = os.environ['JOB_METRICS']\n${script}`));
  expect(result.outcome).toBe('succeeded');
  return result;
}
const written = (lines: string) => metrics(`open(m, 'w').write(${JSON.stringify(lines)})`);

test('metrics are numbers or mixes by name, and a later value wins', async () => {
  const { metrics, metricProblems } = await written(
    'rows=1\nrows=412\nmean_score = 0.25\nok=true\n{"a.b-c": 2, "flag": false, "mix": {"new": 3, "lost": 1}}\r\n\nbig=1e300\n',
  );
  expect(metricProblems).toEqual([]);
  expect(metrics).toEqual({
    rows: 412,
    mean_score: 0.25,
    ok: 1,
    'a.b-c': 2,
    flag: 0,
    mix: { new: 3, lost: 1 },
    big: 1e300,
  });
});

test('lines that are no metrics are reported with number and reason, and the others count', async () => {
  const { metrics, metricProblems } = await written(
    'good=1\nhello\nrows=abc\n1a=2\nx=nan\ny=inf\n__proto__=1\n{"constructor": 1}\n{"mix": {"__proto__": 1, "a": 2}}\n{broken\n[1]\nz=1_000\n',
  );
  expect(metrics).toEqual({ good: 1, mix: { a: 2 } });
  expect(metricProblems).toEqual([
    'line 2: "hello": neither name=value nor a JSON object',
    'line 3: "rows=abc": not a number',
    expect.stringMatching(/^line 4: "1a=2": a name is/),
    'line 5: "x=nan": not a number',
    'line 6: "y=inf": not a number',
    expect.stringMatching(/^line 7: "__proto__=1": a name is/),
    expect.stringMatching(/^line 8: .*a name is/),
    expect.stringMatching(/^line 9: .*a category/),
    'line 10: "{broken": not valid JSON',
    'line 11: "[1]": neither name=value nor a JSON object',
    'line 12: "z=1_000": not a number',
  ]);
});

test('10 MB of metrics, too many of them, or garbage in their file harm nothing', async () => {
  const large = await metrics(`open(m, 'w').write('first=1\\n' + 'rows=1\\n' * 1500000)`);
  expect(large.metrics).toEqual({ first: 1, rows: 1 });
  expect(large.metricProblems).toEqual(['the metrics file has 10500008 bytes, and only the first 1048576 were read']);
  const many = await metrics(
    `open(m, 'w').write(''.join(f'm{i}={i}\\n' for i in range(300)) + json.dumps({'m0': {f'c{i}': i for i in range(150)}}))`,
  );
  expect(Object.keys(many.metrics)).toHaveLength(200);
  expect(Object.keys(many.metrics.m0 as object)).toHaveLength(100);
  expect(many.metricProblems).toHaveLength(20);
  const garbage = await metrics(
    String.raw`open(m, 'wb').write(b'\xff\xfe\x00=1\nfine=2\n' + b'[' * 5000 + b'\n{"a":' + b'[' * 100000)`,
  );
  expect(garbage.metrics).toEqual({ fine: 2 });
  expect(garbage.metricProblems).toHaveLength(3);
});

test('a directory, FIFO or link in place of the metrics file is reported, never followed or waited for', async () => {
  expect((await metrics('os.mkdir(m)')).metricProblems).toEqual(['the metrics file is not a regular file']);
  expect((await metrics('os.mkfifo(m)')).metricProblems).toEqual(['the metrics file is not a regular file']);
  const link = await metrics('open("x", "w").write("a=1"); os.symlink(os.path.abspath("x"), m)');
  expect(link).toMatchObject({ metrics: {}, metricProblems: [expect.stringMatching(/could not be read/)] });
});

test('a declared output is kept as it is and profiled by its columns', async () => {
  const csv = 'id,score,segment,active,note\n1,0.5,smb,true,\n2,1.5,ent,false,x\n3,,smb,true,7\n4,4,smb,true,\n';
  const spec = await world.spec(
    `import os
os.makedirs('out')
open('out/outbound.csv', 'w').write(${JSON.stringify(csv)})`,
    { outputs: ['out/outbound.csv'] },
  );
  const { result } = await world.run(spec);
  const sha256 = createHash('sha256').update(csv).digest('hex');
  expect(result.outputs).toEqual([
    {
      path: 'out/outbound.csv',
      bytes: csv.length,
      sha256,
      profile: {
        format: 'csv',
        rows: 4,
        partial: false,
        columns: [
          { name: 'id', type: 'number', nulls: 0, min: 1, max: 4, mean: 2.5, sd: Math.sqrt(1.25), distinct: 4 },
          {
            name: 'score',
            type: 'number',
            nulls: 0.25,
            min: 0.5,
            max: 4,
            mean: 2,
            sd: expect.closeTo(1.472, 3),
            distinct: 3,
          },
          {
            name: 'segment',
            type: 'text',
            nulls: 0,
            distinct: 2,
            top: [
              ['smb', 3],
              ['ent', 1],
            ],
          },
          {
            name: 'active',
            type: 'boolean',
            nulls: 0,
            distinct: 2,
            top: [
              ['true', 3],
              ['false', 1],
            ],
          },
          {
            name: 'note',
            type: 'mixed',
            nulls: 0.5,
            distinct: 2,
            top: [
              ['7', 1],
              ['x', 1],
            ],
          },
        ],
      },
    },
  ]);
  expect((await world.read(`${spec.run}/outputs/out/outbound.csv`)).toString()).toBe(csv);
});

test('JSON, JSON lines, tabs, semicolons, Windows and Excel are understood alike', async () => {
  const row = (cells: string) => `<row>${cells}</row>`;
  const sheet = `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${row(
    '<c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>n</t></is></c>',
  )}${row('<c r="A2" t="s"><v>1</v></c><c r="B2"><v>1</v></c>')}${row('<c r="B3"><v>3</v></c>')}</sheetData></worksheet>`;
  const workbook = await zip({
    'xl/workbook.xml': '<workbook xmlns:r="r"><sheets><sheet name="One" sheetId="1" r:id="rId7"/></sheets></workbook>',
    'xl/_rels/workbook.xml.rels':
      '<Relationships><Relationship Id="rId7" Target="worksheets/sheet9.xml"/></Relationships>',
    'xl/sharedStrings.xml': '<sst><si><t>name</t></si><si><r><t>a</t></r><r><t>ä</t></r></si></sst>',
    'xl/worksheets/sheet9.xml': sheet,
  });
  const files: Record<string, Buffer> = {
    'a.json': Buffer.from('[{"name":"aä","n":1},{"n":3}]'),
    'a.jsonl': Buffer.from('{"name":"aä","n":1}\n\n{"n":3}\n'),
    'a.tsv': Buffer.from('\ufeffname\tn\r\naä\t1\r\n\t3\r\n'),
    'a.csv': Buffer.from('name;n\naä;1\n;3\n', 'latin1'),
    'a.xlsx': workbook,
  };
  const inputs = [];
  for (const [path, data] of Object.entries(files)) inputs.push({ path, ...(await world.put(`in/${path}`, data)) });
  const { result } = await world.run(await world.spec('print(1)', { inputs, outputs: Object.keys(files) }));
  for (const { path, profile, problem } of result.outputs) {
    expect(problem).toBeUndefined();
    expect(profile).toEqual({
      format: path.slice(2),
      rows: 2,
      partial: false,
      columns: [
        { name: 'name', type: 'text', nulls: 0.5, distinct: 1, top: [['aä', 1]] },
        { name: 'n', type: 'number', nulls: 0, min: 1, max: 3, mean: 2, sd: 1, distinct: 2 },
      ],
    });
  }
});

test('what is no plain file inside the work directory is refused with a reason, and never read', async () => {
  const spec = await world.spec(
    `import os
os.symlink('/etc/passwd', 'link.csv'); os.symlink('/etc', 'folder'); os.mkdir('dir.csv'); os.mkfifo('fifo.csv')`,
    { outputs: ['link.csv', 'folder/passwd', 'dir.csv', 'fifo.csv', 'missing.csv', '../up.csv', '/etc/passwd'] },
  );
  const { result } = await world.run(spec);
  expect(result.outcome).toBe('succeeded');
  expect(result.outputs.map(({ problem }) => problem)).toEqual([
    expect.stringMatching(/symbolic link/),
    expect.stringMatching(/symbolic link/),
    expect.stringMatching(/directory/),
    expect.stringMatching(/FIFO/),
    'declared in outputs but not written',
    expect.stringMatching(/not a plain path/),
    expect.stringMatching(/not a plain path/),
  ]);
  for (const output of result.outputs) expect(Object.keys(output)).toEqual(['path', 'problem']);
});

test('an output that cannot be profiled is kept all the same, also of a job that failed', async () => {
  const bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><workbook>&b;</workbook>';
  const workbook = await world.put(
    'in/bomb.xlsx',
    await zip({ 'xl/workbook.xml': bomb, 'xl/_rels/workbook.xml.rels': '<a/>' }),
  );
  const spec = await world.spec(
    `open('bad.json', 'w').write('{"a": ')
open('list.jsonl', 'w').write('{"a":1}\\n[1]')
open('empty.csv', 'w')
open('notes.txt', 'w').write('no table')
raise SystemExit(255)`,
    {
      inputs: [{ path: 'bomb.xlsx', ...workbook }],
      outputs: ['bad.json', 'list.jsonl', 'empty.csv', 'notes.txt', 'bomb.xlsx'],
    },
  );
  const { result } = await world.run(spec);
  expect(result).toMatchObject({ outcome: 'failed', exitCode: 255, error: { message: 'exit code 255' } });
  expect(result.outputs.every(({ sha256 }) => sha256)).toBe(true);
  expect(result.outputs.map(({ problem }) => problem)).toEqual([
    expect.stringMatching(/not profiled: not valid JSON/),
    'not profiled: entry 2 is not an object',
    undefined,
    undefined,
    expect.stringMatching(/not profiled: the workbook declares a document type/),
  ]);
  expect(result.outputs[2]?.profile).toEqual({ format: 'csv', rows: 0, columns: [], partial: false });
});

test('a table too long to be read whole is profiled in part, and one too large to keep is not kept', async () => {
  const spec = await world.spec(
    `open('long.csv', 'w').write('n\\n' + '1\\n' * 200001)
with open('large.csv', 'w') as f:
    f.write('a,b\\n1,2\\n'); f.truncate((100 << 20) + 1)`,
    { outputs: ['long.csv', 'large.csv'] },
  );
  const { result } = await world.run(spec);
  expect(result.outputs[0]?.profile).toMatchObject({ rows: 200_000, partial: true });
  expect(result.outputs[1]).toMatchObject({
    bytes: (100 << 20) + 1,
    problem: expect.stringMatching(/^not kept: 104857601 bytes/),
  });
  expect(result.outputs[1]).not.toHaveProperty('sha256');
});
