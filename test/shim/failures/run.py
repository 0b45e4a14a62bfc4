"""Runs the failures of corpus.py with this Python and classifies what they print: `run.py RUNTIME [NAME…]`.

With `packages` instead of names: those that need a package, which are all that differ between two Pythons of a version.

Prints one JSON object a case; then a table of the expected class by the one found, for people, on stderr.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version

sys.path.insert(0, sys.argv[1])
from answers import serve, untrusted
from corpus import CASES, SHELL, Case
from lamplighter_shim.classify import Job, classify
from lamplighter_shim.evidence import Evidence
from lamplighter_shim.signals import signal_name


def has(needs: str) -> bool:
    for package in needs.split():
        try:
            if package == 'group':
                if sys.version_info < (3, 11):
                    return False
            else:
                version(package)
        except PackageNotFoundError:
            return False
    return True


def run(case: Case, settings: str, environment: dict[str, str]) -> dict[str, object]:
    name, _, error_class, kind, pattern, script = case
    with tempfile.TemporaryDirectory() as folder:
        shell = script.startswith(SHELL)
        with open(f'{folder}/main.{"sh" if shell else "py"}', 'w') as file:
            file.write(script[len(SHELL) :] if shell else script.replace('REFUSED', environment['REFUSED']))
        if not shell:
            with open(f'{folder}/sitecustomize.py', 'w') as file:
                file.write(settings)
        command = ['sh', 'main.sh'] if shell else [sys.executable, 'main.py']
        ended = subprocess.run(
            command,
            cwd=folder,
            env={**environment, 'PYTHONPATH': folder},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        kept = Evidence()
        for at in range(0, len(ended.stdout), 1000):
            kept.add(ended.stdout[at : at + 1000])
        code, signal = (ended.returncode, None) if ended.returncode >= 0 else (None, signal_name(-ended.returncode))
        found = classify(code, signal, kept.text(), Job(command, folder, frozenset(environment)))
        return {
            'name': name,
            'expected': [error_class, kind],
            'pattern': pattern,
            'found': [found.error_class, found.kind],
            'message': found.message,
            'parts': found.parts,
            'fingerprint': found.fingerprint,
            'host': found.host,
            'output': ended.stdout[-1500:].decode('utf-8', 'replace'),
        }


def table(rows: list[dict[str, object]]) -> str:
    pairs = [(row['expected'][0], row['found'][0]) for row in rows]  # type: ignore[index]
    names = sorted({name for pair in pairs for name in pair})
    width = max(map(len, names))
    lines = [' ' * width + ' ' + ' '.join(name[:6].rjust(6) for name in names)]
    for name in names:
        counts = [sum(pair == (name, other) for pair in pairs) for other in names]
        lines.append(name.rjust(width) + ' ' + ' '.join((str(count) if count else '.').rjust(6) for count in counts))
    right = sum(one == other for one, other in pairs)
    return '\n'.join([*lines, f'{right} of {len(rows)} classes are right'])


def main() -> None:
    wanted = sys.argv[2:]
    cases = [case for case in CASES if has(case[1]) and (not wanted or case[0] in wanted)]
    if wanted == ['packages']:
        cases = [case for case in CASES if case[1] and has(case[1])]
    with socket.socket() as taken, tempfile.TemporaryDirectory() as folder:
        taken.bind(('127.0.0.1', 0))  # bound and not listening: a connection is refused
        refused = str(taken.getsockname()[1])
        secure = untrusted(folder)
        base = f'http://127.0.0.1:{serve()}'
        safe = f'https://127.0.0.1:{serve(secure)}/' if secure else ''
        settings = f'import builtins\nbuiltins.BASE, builtins.SECURE = {base!r}, {safe!r}\n'
        path = f'{os.path.dirname(sys.executable)}:{os.environ["PATH"]}'
        environment = {'PATH': path, 'HOME': folder, 'REFUSED': refused, 'PYTHONUNBUFFERED': '1', 'JOB_NAME': 'x'}
        with ThreadPoolExecutor(2) as pool:
            rows = list(pool.map(lambda case: run(case, settings, environment), cases))
    for row in rows:
        print(json.dumps(row))
    print(table(rows), file=sys.stderr)


main()
