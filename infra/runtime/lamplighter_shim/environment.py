"""Finds or makes the Python that runs the job."""

from __future__ import annotations

import hashlib
import os
import sys
import time

from .clock import span
from .failure import Failure
from .process import capture, find_program
from .uverror import uv_failure
from .workdir import remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Say, Spec, Tick


COMPLETE = '.lamplighter-complete'
UV_LIMIT_S = 15 * 60


class Interpreter:
    """`program`: path of python. `venv`: its environment's directory, or None. `version`: such as `3.11.7`."""

    def __init__(self, program: str, version: str, venv: str | None = None) -> None:
        self.program, self.version, self.venv = program, version, venv


def own_interpreter() -> Interpreter:
    return Interpreter(sys.executable, '.'.join(map(str, sys.version_info[:3])))


def prepare(spec: Spec, base: str, log_lines: Say, tick: Tick) -> Interpreter:
    """The interpreter for the job in `base`/work. `log_lines(text)` says the reader, `tick()` is called meanwhile.

    Raises Failure when it cannot be had.
    """
    if spec['bundle']['locked']:
        return _locked(spec, base, log_lines, tick)
    asked, own = spec['python'], own_interpreter()
    if asked is None or f'{own.version}.'.startswith(f'{asked}.'):
        return own
    uv = _uv(f'this job asks for Python {asked}, and {own.version} is installed here')
    work = os.path.join(base, 'work')
    code, said = capture([uv, 'python', 'find', '--no-project', asked], work, _uv_env(spec), tick, UV_LIMIT_S)
    program = said.decode('utf-8', 'replace').strip().rpartition('\n')[2]
    if code or not program:
        raise Failure(
            'configuration',
            f'this job asks for Python {asked}, {own.version} is installed here, and uv finds no other',
            said.decode('utf-8', 'replace')[-4096:],
        )
    ask = 'import sys; print(".".join(map(str, sys.version_info[:3])))'
    code, said = capture([program, '-I', '-S', '-c', ask], work, _uv_env(spec), tick, 60)
    if code:
        raise Failure('configuration', f'Python {asked} at {program} does not start', said.decode('utf-8', 'replace'))
    return Interpreter(program, said.decode('ascii', 'replace').strip())


def _locked(spec: Spec, base: str, log_lines: Say, tick: Tick) -> Interpreter:
    work = os.path.join(base, 'work')
    uv = _uv('this job has a uv.lock')
    if spec['cache'] and (kept := _shared(spec, spec['cache'], work, uv, log_lines, tick)):
        return kept
    venv = os.path.join(base, 'env')
    _sync(spec, uv, work, venv, log_lines, tick)
    return _of_venv(venv)


def _shared(spec: Spec, cache: str, work: str, uv: str, log_lines: Say, tick: Tick) -> Interpreter | None:
    """The environment from the cache, made there if needed. None: the cache cannot be used for this.

    An environment cannot be moved once made, so it is made in place under a lock, and counts only with the mark that
    is set at the end. uv inherits the lock: should this process be killed, no one builds while uv still writes.
    """
    import fcntl

    venvs = os.path.join(cache, 'envs')
    venv = os.path.join(venvs, _key(spec, work))
    mark = os.path.join(venv, COMPLETE)
    if os.path.exists(mark):
        return _of_venv(venv)
    try:
        os.makedirs(venvs, exist_ok=True)
        lock = os.open(f'{venv}.lock', os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                tick()
                time.sleep(0.1)
            except OSError:
                return None  # a file system without locks
        if not os.path.exists(mark):
            remove(venv)
            _sync(spec, uv, work, venv, log_lines, tick, lock)
            with open(mark, 'x'):
                pass
    finally:
        os.close(lock)
    return _of_venv(venv)


def _key(spec: Spec, work: str) -> str:
    """Everything that decides what is installed. pyproject.toml too, so that a stale lock is still found out."""
    parts = [spec['python'] or sys.executable, sys.version, sys.platform, *os.uname()[4:]]
    for name in ('uv.lock', 'pyproject.toml'):
        try:
            with open(os.path.join(work, name), 'rb') as file:
                parts.append(hashlib.sha256(file.read()).hexdigest())
        except FileNotFoundError:
            raise Failure('configuration', f'the bundle has no {name}: commit it, and deploy again') from None
    return hashlib.sha256('\n'.join(parts).encode()).hexdigest()


def _sync(spec: Spec, uv: str, work: str, venv: str, log_lines: Say, tick: Tick, lock: int | None = None) -> None:
    began = time.monotonic()
    command = [uv, 'sync', '--locked', '--no-dev', '--no-install-project', '--no-progress', '--color', 'never']
    command += ['--python', spec['python'] or sys.executable]
    if spec['cache']:
        command.append('--compile-bytecode')
    code, said = capture(command, work, _uv_env(spec, venv), tick, UV_LIMIT_S, lock)
    if code == 0:
        log_lines(f'packages of uv.lock installed in {span(round((time.monotonic() - began) * 1000, -2))}')
        return
    lines = said.decode('utf-8', 'replace').splitlines()[-40:]
    log_lines('\n'.join(['uv could not install the packages of uv.lock:', *lines]))
    raise uv_failure(code, lines, UV_LIMIT_S)


def _uv(why: str) -> str:
    try:
        return find_program('uv', os.environ.get('PATH', '/usr/local/bin:/usr/bin:/bin'), '/')
    except FileNotFoundError:
        raise Failure(
            'configuration',
            f'{why}, and uv is not installed here: install it (docs.astral.sh/uv) where the host finds it on its PATH',
        ) from None


def _uv_env(spec: Spec, venv: str | None = None) -> dict[str, str]:
    """uv needs the host's settings (index, proxies, certificates); building a package needs none of the secrets."""
    env = {name: value for name, value in os.environ.items() if name not in spec['secrets'] and name != 'VIRTUAL_ENV'}
    if venv:
        env['UV_PROJECT_ENVIRONMENT'] = venv
    if spec['cache']:
        env.setdefault('UV_CACHE_DIR', os.path.join(spec['cache'], 'uv'))
    return env


def _of_venv(venv: str) -> Interpreter:
    version = ''
    with open(os.path.join(venv, 'pyvenv.cfg'), encoding='utf-8') as file:
        for line in file:
            name, _, value = line.partition('=')
            if name.strip() in ('version_info', 'version'):
                version = value.strip()
    return Interpreter(os.path.join(venv, 'bin', 'python'), version, venv)
