"""Where an attempt leaves what it has to leave, through one of two drivers: addresses.py or directory.py."""

from __future__ import annotations

import os
import random
import time

from .retry import delay_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol, TypeVar

    from .shapes import Sink

    T = TypeVar('T')

    class Driver(Protocol):
        """One try of each. All raise Passing, Refused, and ValueError for an address that is none of theirs."""

        def create(self, url: str, body: bytes | FileBody, content_type: str) -> bool:
            """Stores what must not exist yet. False: it exists."""

        def read(self, url: str, sink: Sink) -> None: ...

        def put(self, url: str, body: bytes) -> None:
            """Stores a small text in place of the one before."""

        def append(self, url: str, offset: int, data: bytes) -> None:
            """Adds to the log, whose present end is `offset`; the same block sent again is stored once."""

        def show(self, url: str, data: bytes) -> None:
            """Lets a person read a log where it would be, though the result keeps it. Best effort: raises nothing."""


CHUNK = 1 << 18


class Away(Exception):
    """Storage could not be reached, or kept failing, for longer than we were asked to try."""


class Passing(Exception):
    """A try failed in a way that passes. `wish`: storage asks for that many seconds of peace, as it wrote them."""

    def __init__(self, reason: str, wish: str | None = None) -> None:
        super().__init__(reason)
        self.wish = wish


class Refused(Exception):
    """Storage gave an answer that stands. `absent`: what was asked for is not there."""

    def __init__(self, reason: str, absent: bool = False) -> None:
        super().__init__(reason)
        self.absent = absent


class FileBody:
    """`size` bytes of an open file, to be stored; can be read again."""

    def __init__(self, fd: int, size: int) -> None:
        self.fd, self.size = fd, size

    def chunks(self) -> Iterator[bytes]:
        """Raises EOFError when the file has become shorter."""
        at = 0
        while at < self.size:
            chunk = os.pread(self.fd, min(CHUNK, self.size - at), at)
            if not chunk:
                raise EOFError('the file became shorter while it was sent')
            at += len(chunk)
            yield chunk


class Storage:
    """Tries again what passes. An outage counts from its first failure over all that is asked here."""

    def __init__(self, driver: Driver, deliver_ms: int, pause: Callable[[float], object] = time.sleep) -> None:
        self.driver, self.deliver_ms, self.pause = driver, deliver_ms, pause
        self.calls = 0
        self._away_since: float | None = None

    def create(self, url: str, body: bytes | FileBody, content_type: str = 'application/octet-stream') -> bool:
        """Stores what must not exist yet. False: it exists. Raises Away, Refused.

        Once the attempt is taken no other host writes there: what exists is our own, of a try whose answer was lost or
        that was carried out twice.
        """
        return self._insist(lambda: self.driver.create(url, body, content_type))

    def read(self, url: str, new_sink: Callable[[], Sink] | None = None) -> bytes:
        """All that is there; empty when it went to a sink. Raises Away, Refused.

        `new_sink` is called for a fresh sink at each try, as a broken download starts over.
        """
        parts: list[bytes] = []

        def one_try() -> None:
            parts.clear()
            self.driver.read(url, new_sink() if new_sink else parts.append)

        self._insist(one_try)
        return b''.join(parts)

    def put_once(self, url: str, body: bytes) -> bool:
        """One try, no more. Whether it was stored; raises nothing for what storage does."""
        self.calls += 1
        try:
            self.driver.put(url, body)
            return True
        except (Passing, Refused, ValueError):
            return False

    def append_once(self, url: str, offset: int, data: bytes) -> None:
        """One try, no more. Raises Passing, Refused."""
        self.calls += 1
        self.driver.append(url, offset, data)

    def _insist(self, one_try: Callable[[], T]) -> T:
        tries = 0
        while True:
            tries += 1
            self.calls += 1
            try:
                answer = one_try()
                self._away_since = None
                return answer
            except Refused:
                self._away_since = None
                raise
            except Passing as passing:
                reason, wish = str(passing), passing.wish
            now = time.monotonic()
            self._away_since = self._away_since or now
            left_ms = self.deliver_ms - (now - self._away_since) * 1000
            if left_ms <= 0:
                raise Away(f'storage was unavailable for {self.deliver_ms / 1000:g}s: {reason}')
            self.pause(min(delay_ms(tries, random.random(), wish), left_ms) / 1000)


def open_storage(
    url: str, deliver_ms: int, timeout: float = 30.0, pause: Callable[[float], object] = time.sleep
) -> Storage:
    """Storage by the driver that `url`, one of the attempt's, is for. `timeout`: seconds that one try may be silent."""
    if url.startswith('file:'):
        from .directory import Directory

        return Storage(Directory(), deliver_ms, pause)
    from .addresses import Addresses

    return Storage(Addresses(timeout), deliver_ms, pause)
