import time

from .http1 import Broken
from .storage import Storage


class Heartbeat:
    """Says now and then that the attempt is alive. The first heartbeat comes after one interval: short runs need none."""

    def __init__(self, spec):
        self.url, self.every = spec['blobs']['heartbeat'], spec['heartbeatMs'] / 1000
        self.due_at = time.monotonic() + self.every

    def give_if_due(self, storage: Storage):
        """One try, no more: the next heartbeat says the same. Never raises for what storage does."""
        now = time.monotonic()
        if now < self.due_at:
            return
        self.due_at = now + self.every
        try:
            storage.once('PUT', self.url, {'x-ms-blob-type': 'BlockBlob', 'Content-Type': 'application/json'}, b'{}')
        except (Broken, ValueError):
            pass
