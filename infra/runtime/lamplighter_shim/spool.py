from __future__ import annotations

import os
import time
from _thread import allocate_lock

MEMORY_BYTES = 8 << 20


class Spool:
    """The part of the log that storage does not have yet: a queue of bytes between two threads.

    At most 8 MiB of it are in memory; what comes on top goes to a nameless file in `directory`.
    """

    def __init__(self, directory: str) -> None:
        self._directory, self._lock = directory, allocate_lock()
        self._head, self._read_at, self._write_at = bytearray(), 0, 0
        self._file: int | None = None
        self.since: float | None = None
        """time.monotonic() of the oldest byte, or None when there is none."""

    def __len__(self) -> int:
        return len(self._head) + self._write_at - self._read_at

    def append(self, data: bytes) -> None:
        with self._lock:
            if self.since is None:
                self.since = time.monotonic()
            if self._file is None and len(self._head) + len(data) <= MEMORY_BYTES:
                self._head += data
                return
            if self._file is None:
                path = os.path.join(self._directory, f'spool-{os.urandom(6).hex()}')
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                os.unlink(path)
            view = memoryview(data)
            while view:
                done = os.pwrite(self._file, view, self._write_at)
                self._write_at += done
                view = view[done:]

    def peek(self, size: int) -> bytes:
        """The first bytes, at most `size` of them; they stay until `drop`."""
        with self._lock:
            if self._head or self._file is None:
                return bytes(self._head[:size])
            return os.pread(self._file, min(size, self._write_at - self._read_at), self._read_at)

    def drop(self, size: int) -> None:
        """Forgets the first `size` bytes, which came from one `peek`."""
        with self._lock:
            if self._head:
                del self._head[:size]
            else:
                self._read_at += size
                if self._read_at == self._write_at and self._file is not None:
                    os.close(self._file)
                    self._file, self._read_at, self._write_at = None, 0, 0
            self.since = time.monotonic() if len(self) else None
