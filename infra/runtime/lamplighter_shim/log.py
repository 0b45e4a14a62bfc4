"""Turns what the job writes into the records of its log. Keeps what it must in memory, emits the rest."""

from __future__ import annotations

from collections import deque

from .clock import iso
from .evidence import Evidence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .redact import Redactor
    from .shapes import Sink


LONGEST_LINE = 64 * 1024
TAIL_BYTES = 64 * 1024
JOB, PIECE, OURS = ' ', '+', '#'


class Log:
    """Records are `<instant><marker><text>\\n`, where the marker is a space for a line of the job, `+` for a piece
    of a line that goes on in the next record of the job, and `#` for what Lamplighter says.

    `emit(bytes)` gets whole records, redacted, at most `limit` bytes of them: the head as it comes, and at `close`
    a note of what was left out and the last 64 KiB. Times are ms since 1970.
    """

    def __init__(self, limit: int, redactor: Redactor, emit: Sink) -> None:
        self._room = max(limit - TAIL_BYTES, 0)
        self._tail_room = min(limit, TAIL_BYTES)
        self._redactor, self._emit = redactor, emit
        self._partial, self._since, self._open = bytearray(), 0, False
        self._ring: deque[bytes] = deque()
        self._ring_bytes = self._dropped = 0
        self.bytes = self.lines = 0
        self.capped = False
        self._ends_open = False
        self.evidence = Evidence()

    def write(self, data: bytes, now: int) -> None:
        """Takes output of the job."""
        self.bytes += len(data)
        self.lines += data.count(b'\n')
        self._ends_open = not data.endswith(b'\n')
        self._take(self._redactor.feed(data), now)

    def say(self, text: str, now: int) -> None:
        """Adds lines of Lamplighter's own."""
        self.settle(now)
        for line in self._redactor.text(text).splitlines() or ['']:
            self._record(f'{iso(now)}{OURS}{line}\n'.encode('utf-8', 'replace'))

    def settle(self, now: int) -> None:
        """Lets a line that the job has begun and not ended be seen."""
        if self._partial:
            self._record(self._stamp(PIECE, self._since) + self._partial + b'\n')
            self._partial.clear()
            self._open = True

    def last_words(self) -> str:
        """What is kept of the job's redacted output (see Evidence), what the redactor still holds back included."""
        return self.evidence.text(self._redactor.held())

    def close(self, now: int) -> None:
        """Ends the log: what was held back comes out, and after a cap the tail."""
        self._take(self._redactor.finish(), now)
        if self._partial or self._open:
            self._record(self._stamp(JOB, self._since or now) + self._partial + b'\n')
            self._partial.clear()
            self._open = False
        if self._ends_open:
            self.lines += 1
        if not self.capped:
            tail, left_out = b''.join(self._ring), 0
        else:
            tail = b''.join(self._ring)
            start = max(len(tail) - self._tail_room, 0)
            if start:
                start = tail.find(b'\n', start - 1) + 1
            left_out = self._dropped + start
            tail = tail[start:]
        self._ring.clear()
        if left_out:
            self._emit(f'{iso(now)}{OURS}log capped: {left_out} bytes left out\n'.encode())
        if tail:
            self._emit(tail)

    def _take(self, data: bytes, now: int) -> None:
        if not data:
            return
        self.evidence.add(data)
        last = data.rfind(b'\n')
        if last < 0:
            self._begin(data, now)
            return
        at = 0
        if self._partial or self._open:
            at = data.find(b'\n') + 1
            self._begin(data[: at - 1], now)
            self._record(self._stamp(JOB, self._since) + self._partial + b'\n')
            self._partial.clear()
            self._open = False
        while at <= last:
            until = self._whole_lines(data, at, last)
            if until > at:
                stamp = self._stamp(JOB, now)
                body = data[at : until - 1]
                self._record(stamp + body.replace(b'\n', b'\n' + stamp) + b'\n')
                at = until
                continue
            until = data.find(b'\n', at) + 1  # one line of more than 64 KiB
            self._begin(data[at : until - 1], now)
            self._record(self._stamp(JOB, now) + self._partial + b'\n')
            self._partial.clear()
            self._open = False
            at = until
        self._begin(data[last + 1 :], now)

    def _whole_lines(self, data: bytes, at: int, last: int) -> int:
        """End of the run of lines from `at` on that are all at most 64 KiB long, as far as `last`."""
        while last + 1 - at > LONGEST_LINE:
            end = data.rfind(b'\n', at, at + LONGEST_LINE + 1)
            if end < 0:
                return at
            at = end + 1
        return last + 1

    def _begin(self, piece: bytes, now: int) -> None:
        """Adds to the line in the making, and lets go of it in pieces of 64 KiB."""
        if not self._partial:
            self._since = now
        if len(self._partial) + len(piece) <= LONGEST_LINE:
            self._partial += piece
            return
        whole = bytes(self._partial) + piece
        stamp = self._stamp(PIECE, now)
        cut = (len(whole) - 1) // LONGEST_LINE * LONGEST_LINE
        self._record(b''.join(stamp + whole[i : i + LONGEST_LINE] + b'\n' for i in range(0, cut, LONGEST_LINE)))
        self._partial[:] = whole[cut:]
        self._open = True

    def _stamp(self, marker: str, now: int) -> bytes:
        return (iso(now) + marker).encode()

    def _record(self, records: bytes) -> None:
        """Passes whole records on while there is room; afterwards only the last ones are kept, in memory."""
        if not self._ring and len(records) <= self._room:
            self._room -= len(records)
            self._emit(records)
            return
        if not self._ring:
            cut = records.rfind(b'\n', 0, self._room) + 1  # whole records only
            if cut:
                self._emit(records[:cut])
            records = records[cut:]
            self._room = 0
        self._ring.append(records)
        self._ring_bytes += len(records)
        while self._ring_bytes - len(self._ring[0]) >= self._tail_room:
            gone = self._ring.popleft()
            self._ring_bytes -= len(gone)
            self._dropped += len(gone)
        self.capped = self.capped or self._dropped + max(self._ring_bytes - self._tail_room, 0) > 0
