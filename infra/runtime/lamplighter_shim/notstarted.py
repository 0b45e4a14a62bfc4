"""Why the job's program could not be started."""

from __future__ import annotations

import errno
import os

from .failure import Failure
from .process import find_program

LONGEST = 1 << 17  # bytes of an argument, or of a variable with its name, and a NUL: MAX_ARG_STRLEN of execve(2)


def not_started(argv: list[str], cwd: str, env: dict[str, str], error: OSError | ValueError) -> Failure:
    """The Failure for what `spawn` raised. Values of variables and arguments are not in it."""
    program = argv[0]
    if isinstance(error, FileNotFoundError):
        first = _first_line(program, cwd, env)
        if first is None:
            return Failure('module', f'"{program}" is not there: it is neither in the bundle nor on the PATH')
        if first.endswith('\r'):
            return Failure('configuration', f'"{program}" has line ends of Windows: save it with those of Unix')
        if first.startswith('#!'):
            return Failure('module', f'"{program}" begins with {first}, and that interpreter is not there')
        return Failure('module', f'"{program}" is a program for another system: what loads it is not there')
    if isinstance(error, PermissionError):
        return Failure('configuration', f'"{program}" may not be executed: chmod +x {program}, commit, deploy again')
    if isinstance(error, OSError) and error.errno == errno.ENOEXEC:
        return Failure('configuration', f'"{program}" is no program: its first line must be such as #!/bin/sh')
    if isinstance(error, OSError) and error.errno == errno.E2BIG and (what := _too_long(argv, env)):
        why = f'{what}, and a program can be given at most {LONGEST:,} at once'
        return Failure('configuration', f'"{program}" could not be started: {why}: make it shorter, or use a file')
    return Failure('configuration', f'"{program}" could not be started: {error}')


def _first_line(program: str, cwd: str, env: dict[str, str]) -> str | None:
    """The first line of the program, None when there is no such file."""
    try:
        with open(find_program(program, env.get('PATH', ''), cwd), 'rb') as file:
            return file.read(256).split(b'\n')[0].decode('utf-8', 'replace')
    except OSError:
        return None


def _too_long(argv: list[str], env: dict[str, str]) -> str:
    """The variable or argument that is longer than the system takes, with its size; else an empty text."""
    for name, value in env.items():
        if (size := len(os.fsencode(f'{name}={value}')) + 1) > LONGEST:
            return f'the environment variable {name} has {size:,} bytes'
    for number, argument in enumerate(argv):
        if (size := len(os.fsencode(argument)) + 1) > LONGEST:
            return f'argument {number} has {size:,} bytes'
    return ''
