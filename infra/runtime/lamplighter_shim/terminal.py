from __future__ import annotations

import re
from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


# Escape sequences of ECMA-48. One that the end of the data cuts off counts, too: the text may go on after it.
ESCAPES = (
    rb'\x1b(?:\[[0-?]{0,64}[ -/]{0,8}(?:[@-~]|\Z)'
    rb'|[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\|\x1b?\Z)|[ -/]{0,4}(?:[0-OQ-WYZ\\`-~]|\Z))'
)


class Terminal:
    """Sees bytes as a reader at a terminal would."""

    def __init__(self) -> None:
        self._patterns = {
            'escapes': re.compile(ESCAPES),
            'returns': re.compile(ESCAPES + rb'|\r+'),
            'lines': re.compile(ESCAPES + rb'|[ \t\r\n]+'),
        }

    def bare(self, data: bytes, without: str) -> tuple[bytes, Callable[[int], int]]:
        """(data without escapes, function from positions in it back to those in data).

        `without` says what else goes: `escapes` nothing, `returns` carriage returns, `lines` all white space.
        """
        parts, starts, origins, at, size = [], [], [], 0, 0
        for match in self._patterns[without].finditer(data):
            start, end = match.span()
            if start > at:
                parts.append(data[at:start])
                starts.append(size)
                origins.append(at)
                size += start - at
            at = end
        parts.append(data[at:])
        starts.append(size)
        origins.append(at)

        def back(position: int) -> int:
            piece = bisect_right(starts, position) - 1
            return origins[piece] + position - starts[piece]

        return b''.join(parts), back
