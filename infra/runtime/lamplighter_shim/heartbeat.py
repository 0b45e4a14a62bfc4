from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Spec
    from .storage import Storage


class Heartbeat:
    """Says now and then that the attempt is alive. The first one comes after one interval: short runs need none."""

    def __init__(self, spec: Spec) -> None:
        self.url, self.every = spec['blobs']['heartbeat'], spec['heartbeatMs'] / 1000
        self.due_at = time.monotonic() + self.every
        self._given = self._delivering = False

    def deliver(self, overdue: bool) -> None:
        """The job is over, and what it left is being stored: heartbeats say so from here on. The next one comes at once
        where the service may be looking: after a first one, or when the job was `overdue`."""
        self._delivering = True
        if self._given or overdue:
            self.due_at = time.monotonic()

    def give_if_due(self, storage: Storage) -> None:
        """One try, no more: the next heartbeat says the same. Never raises for what storage does."""
        now = time.monotonic()
        if now < self.due_at:
            return
        self.due_at = now + self.every
        if storage.put_once(self.url, b'{"delivering":true}' if self._delivering else b'{}'):
            self._given = True
