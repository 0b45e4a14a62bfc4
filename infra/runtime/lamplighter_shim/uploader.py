from __future__ import annotations

import random
import sys
import time

from .retry import delay_ms
from .storage import Passing, Refused, open_storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event, Thread

    from .heartbeat import Heartbeat
    from .shapes import Spec
    from .spool import Spool


BIGGEST_BLOCK = 4 << 20


def pace(blocks: int) -> tuple[float, int]:
    """(seconds, bytes): the log is sent when its oldest byte is that old or there are that many.

    An append blob takes 50,000 blocks. This slows down as they are used up: an hour at one a second, then for
    a day, and the last 10,000 last for over two months.
    """
    if blocks < 3_600:
        return 1.0, 1 << 20
    if blocks < 20_000:
        return 5.0, 1 << 20
    return (60.0 if blocks < 40_000 else 600.0), BIGGEST_BLOCK


class Uploader:
    """Takes log and heartbeats to storage in a thread of its own, so that an outage never holds the job up.

    The thread starts when there is something to take; most short runs end before that.
    """

    def __init__(self, spec: Spec, spool: Spool, heartbeat: Heartbeat) -> None:
        self.spool, self.heartbeat = spool, heartbeat
        self.url, self.deliver_s = spec['blobs']['log'], spec['deliverMs'] / 1000
        self.storage = open_storage(self.url, spec['deliverMs'], timeout=15.0)
        self.offset = self._blocks = self._tries = 0
        self.problem: str | None = None
        """Why the log is not whole, or None."""
        self._block, self._next_at = b'', 0.0
        self._closing_at: float | None = None
        self._thread: Thread | None = None
        self._wake: Event

    @property
    def started(self) -> bool:
        return self._thread is not None

    def start_if_due(self) -> None:
        since = self.spool.since
        now = time.monotonic()
        if not self.started and (now >= self.heartbeat.due_at or (since is not None and now - since >= 1)):
            try:
                self.start()
            except RuntimeError:
                pass  # a fork bomb has taken every place for a thread: there will be one when it has been killed

    def start(self) -> None:
        if not self.started:
            import threading

            self._wake = threading.Event()
            thread = threading.Thread(target=self._run, name='uploader', daemon=True)
            thread.start()
            self._thread = thread

    def finish(self) -> bool:
        """Waits until all of the log is stored, or deliverMs are over. Returns whether it is."""
        self._closing_at = time.monotonic()
        if self._thread:
            self._wake.set()
            self._thread.join()
        return self.problem is None and not len(self.spool)

    def _run(self) -> None:
        try:
            while self._closing_at is None or (len(self.spool) and not self.problem):
                self.heartbeat.give_if_due(self.storage)
                self._wake.wait(self._step())
                if self._closing_at is not None and not self._tries:
                    self._next_at = 0.0
                self._wake.clear()
        except Exception as error:  # never silent, and never the job's trouble
            self.problem = f'{type(error).__name__}: {error}'
        if self.problem:
            print(f'lamplighter: the log is not whole: {self.problem}', file=sys.stderr)

    def _step(self) -> float:
        """Sends a block if it is time. Returns the seconds until the next look."""
        now = time.monotonic()
        age, size = pace(self._blocks)
        since = self.spool.since
        due = (
            since is not None
            and not self.problem
            and (self._closing_at or len(self.spool) >= size or now - since >= age)
        )
        if due and now >= self._next_at:
            self._send()
            return 0 if not self._tries else max(self._next_at - time.monotonic(), 0)
        if due:
            return max(self._next_at - now, 0.01)
        return min(0.5, max(self.heartbeat.due_at - now, 0))

    def _send(self) -> None:
        # A block that may have landed must come again byte for byte: its end is where the next one begins.
        self._block = self._block or self.spool.peek(BIGGEST_BLOCK)
        try:
            self.storage.append_once(self.url, self.offset, self._block)
            self._landed()
            return
        except Refused as refused:
            self.problem = str(refused)
            return
        except Passing as passing:
            reason, wish = str(passing), passing.wish
        self._tries += 1
        now = time.monotonic()
        self._next_at = now + delay_ms(self._tries, random.random(), wish) / 1000
        if self._closing_at is not None and now - self._closing_at > self.deliver_s:
            self.problem = f'storage was unavailable for {self.deliver_s:g}s: {reason}'

    def _landed(self) -> None:
        self.offset += len(self._block)
        self.spool.drop(len(self._block))
        self._block, self._tries, self._next_at = b'', 0, 0.0
        self._blocks += 1
