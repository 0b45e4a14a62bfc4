"""Keeps of a job's output what says why it failed: its end, and the beginnings of the last tracebacks, whose messages
may be longer than anything that is kept. Bounded in memory."""

from __future__ import annotations

END_BYTES = 16 * 1024
TRACE_BYTES = 16 * 1024
BEFORE_BYTES = 512  # what stands in front of a traceback says whether a thread, a task or a logger wrote it
MOST_TRACES = 4
TRACE = b'Traceback (most recent call last)'
GAP = '\0 left out \0'


class Evidence:
    """`add` takes redacted output as it comes; `text` returns what is kept, a GAP line where something is left out."""

    def __init__(self) -> None:
        self._end, self._size = b'', 0  # of all output
        self._traces: list[tuple[int, bytearray]] = []  # (position in the output, from there on)

    @property
    def traced(self) -> bool:
        """Whether there was a traceback."""
        return bool(self._traces)

    def add(self, data: bytes) -> None:
        if self._traces:
            at, kept = self._traces[-1]
            room = TRACE_BYTES - len(kept)
            if room > 0:
                kept += data[:room]
        # A header that began in the chunk before ends in this one.
        overlap = self._end[1 - len(TRACE) :]
        seam = overlap + data[: len(TRACE) - 1] if overlap else b''
        if TRACE in seam:
            self._begin(self._size - len(overlap) + seam.find(TRACE), data)
        at = data.find(TRACE)
        while at >= 0:
            self._begin(self._size + at, data)
            # Those within what is kept anyway are passed over, however many there are.
            start, kept = self._traces[-1]
            at = data.find(TRACE, max(at + 1, start + TRACE_BYTES - self._size))
        self._end = (self._end + data)[-END_BYTES:] if len(data) < END_BYTES else data[-END_BYTES:]
        self._size += len(data)

    def _begin(self, position: int, data: bytes) -> None:
        if self._traces and position < self._traces[-1][0] + TRACE_BYTES:
            return
        first = self._size - len(self._end)
        start = max(position - BEFORE_BYTES, first, self._traces[-1][0] + TRACE_BYTES if self._traces else 0)
        kept = bytearray(self._end[start - first :] if start < self._size else b'')
        kept += data[max(start - self._size, 0) :][: TRACE_BYTES - len(kept)]
        self._traces.append((start, kept))
        if len(self._traces) > MOST_TRACES:
            del self._traces[1]  # the first one often is the cause of the others

    def text(self, held: bytes = b'') -> str:
        """What is kept; `held` goes on where the output has ended so far."""
        pieces: list[bytes] = []
        until = 0
        for start, kept in [*self._traces, (self._size - len(self._end), bytearray(self._end))]:
            if start > until:
                pieces.append(b'\n' + GAP.encode() + b'\n')
            pieces.append(bytes(kept[max(until - start, 0) :]))
            until = max(until, start + len(kept))
        return (b''.join(pieces) + held).decode('utf-8', 'replace')
