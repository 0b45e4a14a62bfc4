"""Prints its secrets in every way, in pieces. `main.py SEED COUNT END`; COUNT 0: each form of each secret once."""

import base64, html, json, os, random, shlex, subprocess, sys
from urllib.parse import quote, quote_plus

if os.path.exists(os.environ.get('UNDECLARED', '')):
    secrets = json.load(open(os.environ['UNDECLARED']))
else:
    secrets = {name: os.environ[name] for name in ('ODD', 'WIDE', 'LONG', 'PEM', 'PIN')}
r = random.Random(int(sys.argv[1]))
count, end = int(sys.argv[2]), sys.argv[3]


def capitals(text):
    parts = text.split('\\u')
    return '\\u'.join([parts[0], *(part[:4].upper() + part[4:] for part in parts[1:])])


def dotnet(s):
    text = json.dumps(s)[1:-1].replace('\\"', '\\u0022')
    for sign in "<>&'+`":
        text = text.replace(sign, '\\u%04x' % ord(sign))
    return capitals(text)


def small(text):
    parts = text.split('%')
    return '%'.join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def packed(before, coded=base64.b64encode, inside=lambda s: s):
    return lambda s: coded(b'abcdef'[:before] + inside(s).encode() + b'~' * r.randint(0, 3)).decode()


inner = lambda s: json.dumps(s)[1:-1]
FORMS = {
    'raw': lambda s: s,
    'json': lambda s: json.dumps({'key': s, 'n': 1}),
    'json as it is': lambda s: json.dumps([s], ensure_ascii=False),
    'json with \\/': lambda s: json.dumps(s).replace('/', '\\/'),
    'json of .NET': dotnet,
    'json in json': lambda s: json.dumps({'body': json.dumps({'key': s})}),
    'json in json in utf-8': lambda s: json.dumps(json.dumps([s], ensure_ascii=False), ensure_ascii=False),
    'repr': lambda s: f'{s!r} {dict(key=s)}',
    'repr of bytes': lambda s: str(s.encode()),
    'repr of json': lambda s: repr(('\'' + json.dumps({'key': s})).encode()),
    'json of repr': lambda s: json.dumps({'message': f"wrong: {s!r}"}),
    'quote': quote,
    'quote all': lambda s: f"https://me:{quote(s, safe='')}@crm.example/",
    'quote all in small letters': lambda s: small(quote(s, safe='')),
    'quote plus': lambda s: 'key=' + quote_plus(s) + '&x=1',
    'quote twice': lambda s: 'next=' + quote(quote(s, safe=''), safe=''),
    'component': lambda s: quote(s, safe="~!'()*"),
    'address': lambda s: 'https://crm.example/' + quote(s, safe="~!$&'()*+,;=:@/?"),
    'json in an address': lambda s: 'data=' + quote(json.dumps({'key': s}), safe=''),
    'html': html.escape,
    'xml': lambda s: html.escape(s).encode('ascii', 'xmlcharrefreplace').decode(),
    'csv': lambda s: '1,"' + s.replace('"', '""') + '",2',
    'sql': lambda s: "select '" + s.replace("'", "''") + "'",
    'shell': lambda s: 'curl -u ' + shlex.quote(s),
    'shell trace': lambda s: "+ curl -u '" + s.replace("'", "'\\''") + "'",
    'hex': lambda s: s.encode().hex(),
    'hex in capitals': lambda s: s.encode().hex().upper(),
    'basic': lambda s: 'Basic ' + base64.b64encode(f'admin:{s}ü'.encode('latin-1', 'replace')).decode(),
    'latin-1': lambda s: s,
    'wrapped': lambda s: base64.encodebytes(b'in front of it' + s.encode() + b'and behind').decode(),
}
for at in range(3):
    FORMS[f'base64 {at}'] = packed(at)
    FORMS[f'base64 {at} for addresses'] = packed(at, base64.urlsafe_b64encode)
    FORMS[f'base64 {at} of json'] = packed(at, inside=inner)
for sign in ':- ':
    FORMS[f'hex{sign}'] = lambda s, sign=sign: s.encode().hex(sign)
    FORMS[f'hex{sign} in capitals'] = lambda s, sign=sign: s.encode().hex(sign).upper()
ESCAPES = (b'\x1b[0m', b'\x1b[1;31m', b'\x1b[K', b'\x1b]8;;http://x\x07')


def write(form, s):
    text = FORMS[form](s)
    latin = form == 'latin-1' and all(ord(c) < 256 for c in s)
    data = text.encode('latin-1' if latin else 'utf-8')
    if count and r.random() < 0.15:
        at = sorted(r.randint(0, len(data)) for _ in range(r.randint(1, 6)))
        pieces = [data[a:b] for a, b in zip([0, *at], [*at, len(data)])]
        data = b''.join(piece + r.choice(ESCAPES) for piece in pieces)
    data = b'~%d: ' % r.randint(0, 9) + data + b' ~\n'
    cuts = sorted(r.randint(0, len(data)) for _ in range(r.choice((0, 1, 3, 8)) if count else 0))
    for a, b in zip([0, *cuts], [*cuts, len(data)]):
        os.write(r.choice((1, 2)), data[a:b])


if count:
    for _ in range(count):
        write(r.choice(list(FORMS)), r.choice(list(secrets.values())))
else:
    for s in secrets.values():
        for form in FORMS:
            write(form, s)

with open(os.environ['JOB_METRICS'], 'a') as metrics:
    print('rows=7', file=metrics)
    for name, s in secrets.items():
        print(s, '=1', sep='', file=metrics)
        print('value=' + s, file=metrics)
        print(json.dumps({s: 1}), json.dumps({'of_' + name: s}), sep='\n', file=metrics)
        mix = {s: 1, 'seen ' + s: 2, base64.b64encode(s.encode()).decode(): 3}
        print(json.dumps({'mix_' + name: mix}), file=metrics)
        print(f'{{"{s} {s} {s} {s}', file=metrics)
    print('pin=' + secrets['PIN'], file=metrics)
    print(json.dumps({'pins': int(secrets['PIN'])}), file=metrics)
    print((secrets['LONG'] + ' ') * 9, file=metrics)
with open('out.csv', 'w') as out:
    print('name,pin,long,' + secrets['LONG'], file=out)
    for i in range(30):
        print(f"{secrets['LONG']},{secrets['PIN']},key is {secrets['LONG']}{secrets['LONG']},{i}", file=out)
json.dump([{s: s, 'b': base64.b64encode(s.encode()).decode()} for s in secrets.values()], open('out.json', 'w'))
open('bad.json', 'w').write('["' + secrets['LONG'])
sys.stdout.flush()
if end == 'traceback':
    raise ValueError(f"cannot log in with {secrets['ODD']} / {secrets['LONG']!r}")
if end == 'command':
    subprocess.run(['false', '--key', secrets['LONG'], secrets['ODD'], secrets['WIDE']], check=True)
if end == 'exit':
    sys.exit(f"bad key {secrets['LONG']}, pin {secrets['PIN']}, {secrets['ODD']}")
if end == 'hang':
    os.write(1, b'still: ' + secrets['LONG'].encode())
    import time

    time.sleep(60)
