import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { python, shim, World } from '../support/shim/shim.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
});

const cases = String.raw`
import base64, html, json, random, re, sys
from urllib.parse import quote, quote_plus
sys.path.insert(0, sys.argv[1])
from lamplighter_shim.redact import Redactor

ESCAPES = [b'\x1b[0m', b'\x1b[1;31m', b'\x1b]8;;http://x\x07', b'\x1b(B', b'\r', b'\x1b[K']
ALPHABETS = ['abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 'ab', 'aA1+/=-_ "\'\\<>&%;:ü€😀']
FORMS = [
    lambda s, b, r: b,
    lambda s, b, r: b[: len(b) // 2] + b,
    lambda s, b, r: json.dumps(s).encode(),
    lambda s, b, r: json.dumps(s, ensure_ascii=False).replace('/', '\\/').encode(),
    lambda s, b, r: repr(s).encode(),
    lambda s, b, r: repr(b).encode(),
    lambda s, b, r: quote(s).encode(),
    lambda s, b, r: re.sub('%..', lambda m: m.group().lower(), quote(s, safe='')).encode(),
    lambda s, b, r: quote_plus(s).encode(),
    lambda s, b, r: html.escape(s).encode(),
    lambda s, b, r: base64.b64encode(b),
    lambda s, b, r: base64.b64encode(b'u:' + b),
    lambda s, b, r: base64.b64encode(b'x' + b + b'zz'),
    lambda s, b, r: base64.urlsafe_b64encode(b'abc' + b).rstrip(b'='),
    lambda s, b, r: base64.encodebytes(b'some text in front of it' + b + b'and behind'),
    lambda s, b, r: b.hex().encode(),
    lambda s, b, r: b.hex(':').upper().encode(),
    lambda s, b, r: b''.join(bytes((c,)) + (r.choice(ESCAPES) if r.random() < 0.3 else b'') for c in b),
]

AROUND = [' ', '  ', '\t', '\n', '\r\n', '\n\n', '\0', '\ufeff', '\u00ef\u00bb\u00bf', '\x0b', '\x0c', '\x1c', '\x85', '\xa0', '\u200b', '"', "'"]
STRIPS = [
    lambda s: s,
    lambda s: s.strip(),
    lambda s: s.rstrip('\n'),
    lambda s: s.rstrip('\r\n'),
    lambda s: s.strip('\0'),
    lambda s: s.lstrip('\ufeff').strip(),
    lambda s: s.strip(' \t\r\n\0\ufeff\u200b'),
    lambda s: s.strip().strip('"').strip("'"),
    lambda s: s.split('\n')[-1],
]

def padded(s, r):
    """The secret between what files, vaults and copying leave around one."""
    before = ''.join(r.choice(AROUND) for _ in range(r.choice([0, 0, 1, 2])))
    after = ''.join(r.choice(AROUND) for _ in range(r.choice([0, 1, 1, 3])))
    return before + s + (before[::-1] if before in ('"', "'") else after)

def inside(shift, b):
    whole = base64.b64encode(bytes(shift) + b)
    return whole[(0, 2, 3)[shift] : (shift + len(b)) * 8 // 6]

for seed in range(200):
    r = random.Random(seed)
    secrets = {}
    for i in range(r.randint(1, 4)):
        alphabet = r.choice(ALPHABETS)
        secrets[f'S{i}'] = ''.join(r.choice(alphabet) for _ in range(r.choice([5, 8, 20, 40, 200])))
    cores = {name: value.strip().strip('"').strip("'").strip() for name, value in secrets.items()}
    if seed % 2:
        secrets = {name: padded(value, r) for name, value in secrets.items()}
    parts = []
    for _ in range(r.randint(1, 6)):
        s = r.choice(STRIPS)(r.choice(list(secrets.values())))
        parts += (b'~~line %d~\n~' % seed, r.choice(FORMS)(s, s.encode(), r))
    data = b''.join(parts) + b'~the end\n'
    cuts = sorted(r.randint(0, len(data)) for _ in range(r.choice([0, 3, 20])))
    if r.random() < 0.25:
        cuts = list(range(len(data)))
    redactor = Redactor(secrets)
    out = b''.join([redactor.feed(data[a:b]) for a, b in zip([0, *cuts], [*cuts, len(data)])]) + redactor.finish()
    assert out == Redactor(secrets).whole(data), f'seed {seed}: depends on the chunks'
    assert out.endswith(b'~the end\n') and out.startswith(b'~~line'), f'seed {seed}: took too much'
    seen = re.sub(rb'\x1b\[[0-9;]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b\(B|\r', b'', out)
    assert not redactor.short or min(len(core) for core in cores.values()) < 8
    for s in {*secrets.values(), *cores.values()}:
        if len(s) < 5:
            continue
        b = s.encode()
        plain = {b, json.dumps(s)[1:-1].encode(), quote(s).encode(), quote_plus(s).encode(), html.escape(s).encode()}
        for form in plain | {b.hex().encode(), b.hex(':').upper().encode()}:
            assert form not in seen, f'seed {seed}: {form} is still in {seen}'
        for shift in range(3):
            form = inside(shift, b)
            if len(form) >= 16:
                assert form not in seen.replace(b'\n', b''), f'seed {seed}: {form} is still in {seen}'

r = random.Random(7)
words = [''.join(r.choice('etaoinshrdlu') for _ in range(r.randint(1, 9))) for _ in range(500)]
ordinary = '\n'.join(' '.join(r.choices(words, k=9)) + ' \x1b[32mok\x1b[0m ünïcode 50%\r' for _ in range(3000)).encode()
redactor = Redactor({'A': 'sk-live-4eC39HqLyjWDarjtT1zdp7dc', 'B': 'correct horse battery staple', 'C': 'p@ss/w"rd'})
out = b''.join(redactor.feed(ordinary[i : i + 777]) for i in range(0, len(ordinary), 777)) + redactor.finish()
assert out == ordinary, 'ordinary text was changed'

key = 'sk-live-4eC39HqLyjWDarjtT1zdp7dc'
redactor = Redactor({'A': key})
out = redactor.feed(b'the key is ' + key[:20].encode())
assert redactor.held() == b'***', 'the beginning of a secret is among the last words'
assert out + redactor.finish() == b'the key is ***', 'the beginning of a secret at the end of the stream is kept'
redactor = Redactor({'A': key})
assert redactor.feed(b'the task') + redactor.finish() == b'the task', 'too little to report anything was taken'
assert redactor.text('x ' + key[:20], cut=True) == 'x ', 'the beginning of a secret at the end of a cut text is kept'
assert redactor.text('sk-live-') == 'sk-live-', 'a whole text that is no secret was changed'
pem = '-----BEGIN PRIVATE KEY-----\n' + '\n'.join('MIIEvQIBADANBg%02dqhkiG9w0BAQEFAASCBKcwggSjAgEA' % i for i in range(9)) + '\n-----END PRIVATE KEY-----\n'
for stored in (pem, pem.replace('\n', '\r\n'), ' ' + pem.replace('\n', ' \n\t'), pem.strip().replace('\n', '\\n'), '"' + pem.strip().replace('\n', '\\n') + '"', '\ufeff' + pem + '\0'):
    redactor = Redactor({'PEM': stored})
    used = stored.strip('"').replace('\\n', '\n')
    for line in (line.strip() for line in used.splitlines()):
        for form in FORMS[:1] + FORMS[2:]:
            said = b'~' + form(line.strip('\ufeff\0'), line.strip('\ufeff\0').encode(), r) + b'~'
            seen = re.sub(rb'\x1b\[[0-9;]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b\(B|\r|\n', b'', redactor.whole(said))
            assert len(line) < 8 or b'***' in seen and line.encode()[:12] not in seen, (stored, line, seen)
    assert redactor.whole(repr(used.strip()).encode()).count(b'***') and b'MIIEv' not in redactor.whole(repr(used.strip()).encode())

key = 'sk/live+4eC39HqLyjWDarjtT1zdp7dc'
marks = ['\u200e', '\u202a', '\u2063', '\ufffc', '\u00ad', '\ufe0f', '\U000e0101', '\u2028', '\u3000', '\x9f', *'“”‘’„‚«»']
for before, after in [(mark, '') for mark in marks] + [('', mark) for mark in marks] + [('\ufeff„\u00ad', '\u200f“\n')]:
    redactor = Redactor({'A': before + key + after})
    for said in (key.encode(), base64.b64encode(key.encode()), key.encode().hex().encode(), quote(key, safe='').encode()):
        assert redactor.whole(said) == b'***', (before, after, said)

blank = Redactor({'A': ' \t\r\n ', 'B': 'abc \n', 'C': '\ufeff\0\0\0'})
assert blank.short == ['A', 'B', 'C'] and blank.whole(b'abc  \t\r\n  ') == b'abc  \t\r\n  ', 'a secret of blanks empties the log'
print('all good')
`;

test('no form of a secret passes, however the stream is cut, and ordinary text is unchanged', () => {
  const ran = spawnSync(python, ['-', dirname(shim)], { input: cases, encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  expect(ran.stdout).toBe('all good\n');
}, 180_000);

const pem = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw/+g0='.repeat(3)}\nQEFAASCBKcwggSjAgEAAoIBAQ\n-----END PRIVATE KEY-----\n`;

test('a secret is nowhere in what is kept: log, error, metrics, profile, problems', async () => {
  const spec = await world.spec(
    `import os, sys, json, base64
key, pem = os.environ['KEY'], os.environ['PEM']
print(key, json.dumps({'k': key}), base64.b64encode(('user:' + key).encode()).decode(), pem.splitlines()[1])
for c in key: sys.stdout.write(c); sys.stdout.flush()
print()
with open(os.environ['JOB_METRICS'], 'a') as m:
    print(key, '=1', sep='', file=m)
    print(json.dumps({'mix': {key: 1}}), file=m)
    print('value=' + key, file=m)
open('out.csv', 'w').write(f'name,{key}\\n{key},1\\n')
open('bad.json', 'w').write('["' + key + '"]')
raise ValueError('cannot log in with ' + key)`,
    { secrets: { KEY: 'tr0ub4dor/&3 "x"', PEM: pem, PIN: '123' }, outputs: ['out.csv', 'bad.json'] },
  );
  const { result, log } = await world.run(spec);
  const kept = log.bytes.toString() + JSON.stringify(result);
  expect(kept).not.toMatch(/tr0ub4dor|MIIEvQ|dHIwdWI0ZG9y/);
  expect(result.error?.message).toBe('ValueError: cannot log in with ***');
  expect(result.metrics).toEqual({ mix: { '***': 1 } });
  expect(result.outputs[0]?.profile?.columns.map(({ name, top }) => [name, top])).toEqual([
    ['name', [['***', 1]]],
    ['***', undefined],
  ]);
  expect(log.job.toString().split('\n')[1]).toBe('***');
  expect(log.ours[0]).toMatch(/secret PIN is too short/);
  expect(kept).not.toContain('123 of');
});

test.each<[string, string]>([
  ['a line end', 'Xk93-mmQpLr8_sZ2\n'],
  ['CRLF', 'Xk93-mmQpLr8_sZ2\r\n'],
  ['a tab before it', '\tXk93-mmQpLr8_sZ2'],
  ['blanks on both sides', '  Xk93-mmQpLr8_sZ2  '],
  ['a BOM', '\ufeffXk93-mmQpLr8_sZ2\n'],
  ['quotes', '"Xk93-mmQpLr8_sZ2"'],
])('a secret with %s is nowhere, though the script strips it', async (_, secret) => {
  const spec = await world.spec(
    `import os, base64
key = os.environ['API_KEY'].strip().strip('\\ufeff"').strip()
print('GET https://crm.example/api?key=' + key + '&page=1')
print({'Authorization': f'Bearer {key}'}, key.encode().hex())
print(base64.b64encode(b'svc:' + key.encode()).decode())
raise RuntimeError(f'CRM said: key {key} has expired, ask dana')`,
    { secrets: { API_KEY: secret } },
  );
  const { result, log } = await world.run(spec);
  expect(log.bytes.toString() + JSON.stringify(result)).not.toMatch(/Xk93|WGs5My1t|586b3933|hrOTMtbW1R/);
  expect(result.error?.message).toBe('RuntimeError: CRM said: key *** has expired, ask dana');
});

test('a secret that is a number, or longer than what is kept of a text, is in no metric and no profile', async () => {
  const long = 'eyJhbGciOiJIUzI1NiJ9'.repeat(40);
  const spec = await world.spec(
    `import os
pin, long = os.environ['PIN'], os.environ['LONG']
open(os.environ['JOB_METRICS'], 'w').write(f'pin={pin}\\nrows=3\\n{{"mix": {{"a": {pin}, "b": 2}}}}\\n{(long + " ") * 8}\\n')
open('out.csv', 'w').write(f'pin,count,token\\n{pin},1,{long}\\n{pin},5,key: {long}\\n')`,
    { secrets: { PIN: '4821337769', LONG: long }, outputs: ['out.csv'] },
  );
  const { result } = await world.run(spec);
  expect(JSON.stringify(result)).not.toMatch(/4821337769|eyJhbGci/);
  expect(result.metrics).toEqual({ rows: 3, mix: { b: 2 } });
  expect(result.metricProblems).toContain('line 1: "pin=***": the value is a secret');
  const [pin, count, token] = result.outputs[0]?.profile?.columns ?? [];
  expect(pin).toEqual({ name: 'pin', type: 'number', nulls: 0, sd: 0, distinct: 1 });
  expect(count).toMatchObject({ min: 1, max: 5, mean: 3 });
  expect(token?.top).toHaveLength(2);
});

test('what a job has said before it ended is kept whole, however long it takes to look for secrets in it', () => {
  const slow = `import os, sys, time
sys.path.insert(0, sys.argv[1])
from lamplighter_shim.signals import Signals
from lamplighter_shim.supervise import supervise

class Log:
    size = 0
    def write(self, data, now):
        self.size += len(data)
        time.sleep(0.5)
    def settle(self, now): pass
    def say(self, text, now): print(text)

class Uploader:
    def start_if_due(self): pass

log, signals = Log(), Signals()
signals.listen()
code = 'import os; os.write(1, b"x" * 1_000_000)'
spec = {'timeoutMs': 60_000, 'graceMs': 100}
_, ended = supervise([sys.executable, '-c', code], '/', dict(os.environ), spec, log, signals, Uploader())
print(ended.exit_code, log.size)`;
  const ran = spawnSync(python, ['-', dirname(shim)], { input: slow, encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  expect(ran.stdout).toBe('0 1000000\n');
});
