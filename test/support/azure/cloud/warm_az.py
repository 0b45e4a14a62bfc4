"""The real Azure CLI, loaded once: each call is a fork of this process that then does what `python -m azure.cli` does.

To start az anew takes more than a second of processor time for each call, nearly all of it for imports. What one call
has imported, this process imports as well, for the next one.

    warm_az.py <socket>     prints "ready", or "none" for a Python without az; ends with its standard input

A caller sends its three streams, then one line of JSON: {"argv": [...], "folder": ..., "environment": {...}}. It gets
the exit code.
"""

import atexit
import gc
import importlib
import importlib.util
import json
import os
import runpy
import select
import socket
import sys
import traceback


def serve(path: str) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    seen, report = os.pipe()
    load(['azure.cli.core', 'azure.cli.core.telemetry', 'azure.cli.core.intercept_survey'])
    print('ready', flush=True)
    while True:
        readable, _, _ = select.select([listener, seen, sys.stdin], [], [])
        if sys.stdin in readable:
            return
        if seen in readable:
            load(os.read(seen, 1 << 20).decode().split())
            continue
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            answer(line, report)
        line.close()
        reap()


def load(names: list[str]) -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:
            # The call that needs it will say so.
            sys.modules.pop(name, None)
    # A fork whose collector walks over all of these objects copies them all.
    gc.collect()
    gc.freeze()


def reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


def answer(line: socket.socket, report: int) -> None:
    """Runs one call in a process of its own, and says how it ended."""
    _, streams, _, _ = socket.recv_fds(line, 1, 3)
    asked = json.loads(line.makefile().readline())
    child = os.fork()
    if child == 0:
        line.close()
        run(asked, streams, report)
    for stream in streams:
        os.close(stream)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    line.sendall(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def run(asked: dict, streams: list[int], report: int) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked['folder'])
    os.environ.clear()
    os.environ.update(asked['environment'])
    sys.argv = ['az', *asked['argv']]
    before = set(sys.modules)
    code: object = 0
    try:
        runpy.run_module('azure.cli', run_name='__main__', alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    # As the interpreter ends, but for taking all that was loaded apart.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    names = [name for name in list(sys.modules) if name not in before and not name.startswith('__')]
    os.write(report, '\n'.join([*names, '']).encode())
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == '__main__':
    if importlib.util.find_spec('azure') and importlib.util.find_spec('azure.cli'):
        serve(sys.argv[1])
    else:
        print('none', flush=True)
