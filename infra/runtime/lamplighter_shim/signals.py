from __future__ import annotations

import os
import signal
import time

from .failure import Stopped

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def signal_name(number: int) -> str:
    """`SIGTERM`; real-time signals count from SIGRTMIN, as `kill -l` has them (signal(7))."""
    try:
        return signal.Signals(number).name
    except ValueError:
        first = getattr(signal, 'SIGRTMIN', number)
        return f'SIGRTMIN+{number - first}' if number > first else f'signal {number}'


class Signals:
    """Requests to stop. At first they are only written down: in the midst of taking the attempt it is open whose it is.
    From `listen()` on, while the job is prepared, they raise Stopped; from `note()` on they are written down again.

    To be made early, as the first process of a container is deaf to signals that it has no handler for. `wake` is a
    descriptor that becomes readable at each signal, the end of a child included.
    """

    def __init__(self) -> None:
        self.stopped: str | None = None
        self._raising = False
        self.wake, self._ring = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(self._ring, False)
        signal.set_wakeup_fd(self._ring, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in STOPPING:
            signal.signal(number, self._stop)

    def sleep(self, seconds: float) -> None:
        """Between two tries of taking the attempt. Raises Stopped."""
        time.sleep(seconds)
        if self.stopped:
            raise Stopped(self.stopped)

    def listen(self) -> None:
        """From here on a request to stop raises Stopped, as does one that came before."""
        self._raising = True
        if self.stopped:
            raise Stopped(self.stopped)

    def note(self) -> None:
        """From here on a request to stop raises nothing. Raises Stopped if there already was one."""
        self._raising = False
        if self.stopped:
            raise Stopped(self.stopped)

    def hush(self) -> None:
        """As `note`, and never raises: the result is being delivered."""
        self._raising = False

    def drain(self) -> None:
        try:
            while os.read(self.wake, 512):
                pass
        except BlockingIOError:
            pass

    def _stop(self, number: int, _: object) -> None:
        first, self.stopped = not self.stopped, self.stopped or signal.Signals(number).name
        if first and self._raising:
            raise Stopped(self.stopped)
