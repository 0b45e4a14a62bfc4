"""Starts attempts by forking: Python and all that a run may import are loaded once, so a start costs 1 ms, not 100.

Requests come on stdin: a HEADER (number, size), then the specification as JSON. Answers go to stdout, one JSON object
a line: {"started": number, "pid": n}, {"refused": number, "why": text}, {"ended": number, "code": n}, where a negative
code is the signal's number. The end of stdin ends the prefork server and not its children: they outlive their host.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import struct
import sys
import traceback
from importlib import import_module

from .attempt import run
from .linux import hide
from .spec import BadSpec, parse_spec

HEADER = struct.Struct('>II')
MOST_BYTES = 64 << 20
USAGE, SOFTWARE = 64, 70
# By name: an import that nothing uses is one that a linter removes.
LATE = (
    'csv',
    'ctypes',
    'encodings.ascii',
    'encodings.idna',
    'encodings.unicode_escape',
    'encodings.utf_8_sig',
    'fcntl',
    'resource',
    'shutil',
    'threading',
)
OURS = ('classify', 'directory', 'metrics', 'outputs', 'profile', 'secretforms', 'terminal', 'xlsx')


class Prefork:
    """One thread only: a fork would take the locks of the others along, locked."""

    def __init__(self) -> None:
        self._wake, ring = os.pipe()
        self._own = (self._wake, ring)
        for fd in self._own:
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._numbers: dict[int, int] = {}  # of the children, by their process ids
        self._expect(None, HEADER.size)

    def serve(self) -> None:
        """Returns when no one is left to ask for anything."""
        poll = select.poll()
        poll.register(0, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        try:
            while True:
                for fd, _ in poll.poll():
                    if fd == self._wake:
                        self._reap()
                    elif not self._read():
                        return
        except BrokenPipeError:
            return

    def _expect(self, number: int | None, size: int) -> None:
        self._number, self._buffer, self._filled = number, bytearray(size), 0

    def _read(self) -> bool:
        """Takes what has come, never beyond the request it belongs to: a child must not find the next one in here."""
        count = os.readv(0, [memoryview(self._buffer)[self._filled :]])
        self._filled += count
        if count and self._filled == len(self._buffer):
            if self._number is None:
                number, size = HEADER.unpack(self._buffer)
                if not 0 < size <= MOST_BYTES:
                    raise ValueError(f'a request of {size} bytes, and 1 to {MOST_BYTES} are expected')
                self._expect(number, size)
            else:
                self._start(self._number, self._buffer)
                wipe(self._buffer)
                self._expect(None, HEADER.size)
        return count > 0

    def _start(self, number: int, text: bytearray) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._tell({'refused': number, 'why': f'no process could be made: {error.strerror}'})
            return
        if pid == 0:
            self._live(text)
        self._numbers[pid] = number
        self._tell({'started': number, 'pid': pid})

    def _live(self, text: bytearray) -> None:
        """The life of a child. Does not return."""
        code = SOFTWARE
        try:
            # Until it has handlers of its own, a request to stop ends it: nothing has begun then.
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(2, 1)
            for fd in (null, *self._own):
                os.close(fd)
            spec = parse_spec(text)
            wipe(text)
            code = run(spec)
        except BadSpec as bad:
            code = USAGE
            print(f'lamplighter: {bad}', file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        try:
            while os.read(self._wake, 512):
                pass
        except BlockingIOError:
            pass
        while self._numbers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            number = self._numbers.pop(pid, None)
            if number is not None:
                self._tell({'ended': number, 'code': os.waitstatus_to_exitcode(status)})

    def _tell(self, answer: dict[str, int | str]) -> None:
        line = json.dumps(answer).encode() + b'\n'
        while line:
            line = line[os.write(1, line) :]


def wipe(text: bytearray) -> None:
    """The signed addresses and secrets of one attempt are nothing for the children that are forked later."""
    text[:] = bytes(len(text))


def load() -> None:
    """Imports what is otherwise imported late, by us or by Python itself, as nearly every run needs some of it."""
    for name in LATE:
        import_module(name)
    for name in OURS:
        import_module(f'.{name}', __package__)


def close_inherited() -> None:
    """The one that started this may have left descriptors open; the jobs would get them all."""
    try:
        found = [int(name) for name in os.listdir('/dev/fd')]
    except OSError:
        return
    for fd in found:
        if fd > 2:
            try:
                os.close(fd)
            except OSError:
                pass  # the listing's own


def main() -> None:
    close_inherited()
    load()
    hide()
    gc.collect()
    gc.freeze()  # or the first collection in each child would write to, and so copy, all of this
    Prefork().serve()
    os._exit(0)
