"""Takes secrets out of a stream of bytes, before anything of it is stored. Pure."""

from __future__ import annotations

from .search import WRAPPING, beginning, found, heads_of, is_suspicious, needles_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .search import Heads, Needles


MASK = b'***'
SHORTEST_SECRET = 4
REVEALING = 8  # so much of a secret's beginning says something of it


class Redactor:
    """Replaces every form of every secret (see secretforms) by `***`, also over the borders of chunks, also with
    terminal escape sequences inside. Where forms overlap, all that any of them covers goes.

    `secrets` is name → value. `short` lists the names of those that, without the blanks around them, are too short to
    be distinguished from ordinary text.
    """

    def __init__(self, secrets: dict[str, str]) -> None:
        self.short: list[str] = []
        values: set[str] = set()
        self._heads: Heads = (set(), {})
        self._wrapped_heads: Heads = (set(), {})
        self._needles: list[Needles] = []
        self._held, self._covered = b'', 0
        if not secrets:
            return
        from .secretforms import bare, forms_of
        from .terminal import Terminal

        for name, value in sorted(secrets.items()):
            if len(bare(value)) < SHORTEST_SECRET:
                self.short.append(name)
            else:
                values.add(value)
        if not values:
            return

        self._terminal = Terminal()
        every: set[bytes] = set()
        wrapped: set[bytes] = set()
        for value in values:
            more, may_wrap = forms_of(value)
            every |= more
            wrapped |= may_wrap
        self._needles = needles_of(sorted(every, key=lambda form: (len(form), form)))
        self._longest = max(map(len, every))
        self._reach = 4 * self._longest + 4096
        self._heads, self._wrapped_heads = heads_of(every), heads_of(wrapped)

    def feed(self, data: bytes) -> bytes:
        """Takes a chunk; returns what can be let go. Holds back only what may turn out to begin a secret."""
        if not self._needles:
            return data
        whole = self._held + data
        return self._cut(whole, self._spans(whole), self._hold(whole))

    def finish(self) -> bytes:
        """Returns what was held back; the stream is over. The beginning of a secret that the end cuts off goes, too:
        a job may be killed while it writes."""
        first = self._hold(self._held) if self._held else 0
        if len(self._held) - first < REVEALING:
            return self._rest()
        out = self._cut(self._held, self._spans(self._held), first)
        covered, self._held, self._covered = self._covered, b'', 0
        return out if covered else out + MASK

    def held(self) -> bytes:
        """What `finish` would return now; the stream may go on."""
        return self._apart(self._held, self._covered).finish() if self._needles else self._held

    def text(self, text: str, cut: bool = False) -> str:
        """A text without secrets, apart from the stream. `cut`: it went on, so its end may be the beginning of one."""
        data = text.encode('utf-8', 'surrogateescape')
        if not cut or not self._needles:
            return self.whole(data).decode('utf-8', 'replace')
        alone = self._apart(data, 0)
        first = self._hold(data)
        return (alone.feed(b'') if len(data) - first >= SHORTEST_SECRET else alone._rest()).decode('utf-8', 'replace')

    def whole(self, data: bytes) -> bytes:
        """Bytes without secrets, apart from the stream."""
        return self._apart(data, 0)._rest() if self._needles else data

    def _apart(self, held: bytes, covered: int) -> Redactor:
        alone = object.__new__(Redactor)
        alone.__dict__.update(self.__dict__, _held=held, _covered=covered)
        return alone

    def _rest(self) -> bytes:
        return self._cut(self._held, self._spans(self._held), len(self._held))

    def _cut(self, whole: bytes, spans: list[tuple[int, int]], keep: int) -> bytes:
        """Masks the spans (start, end) that begin before `keep`, and holds back what follows it."""
        if not spans and not self._covered:
            self._held = whole[keep:]
            return whole[:keep] if self._held else whole
        out: list[bytes] = []
        at = self._covered
        for start, end in sorted(spans):
            if start >= keep:
                break
            if start < at:
                at = max(at, end)
                continue
            out += (whole[at:start], MASK)
            at = end
        out.append(whole[at:keep])
        self._covered = max(at - keep, 0)
        self._held = whole[keep:]
        return b''.join(out)

    def _spans(self, whole: bytes) -> list[tuple[int, int]]:
        escaped = b'\x1b' in whole
        views = [whole, self._terminal.bare(whole, 'escapes')[0]] if escaped else [whole]
        if not any(is_suspicious(view, self._needles) for view in views):
            return []
        spans = list(found(whole, self._heads[1]))
        if escaped or b'\r' in whole:
            bare, back = self._terminal.bare(whole, 'returns')
            spans += ((back(start), back(end - 1) + 1) for start, end in found(bare, self._heads[1]))
        bare, back = self._terminal.bare(whole, 'lines')
        spans += ((back(start), back(end - 1) + 1) for start, end in found(bare, self._wrapped_heads[1]))
        return spans

    def _hold(self, whole: bytes) -> int:
        """Where the earliest beginning of a form is that the end of `whole` cuts off."""
        short = whole[max(len(whole) - self._longest, 0) :]
        keep = len(whole) - len(short) + beginning(short, *self._heads)
        first = max(len(whole) - self._reach, 0)
        tail = whole[first:]
        escaped = b'\x1b' in tail
        if escaped or b'\r' in tail:
            keep = min(keep, first + self._hold_bare(tail, self._heads, 'returns'))
        # Almost always the text without line ends settles it, and the dearer way back into the raw text is not needed.
        flat = tail.translate(None, WRAPPING)[-self._longest :]
        if escaped and self._wrapped_heads[1]:
            keep = min(keep, first + self._hold_bare(tail, self._wrapped_heads, 'lines'))
        elif self._wrapped_heads[1] and (count := len(flat) - beginning(flat, *self._wrapped_heads)):
            keep = min(keep, first + _last(tail, count))
        return keep

    def _hold_bare(self, tail: bytes, heads: Heads, without: str) -> int:
        bare, back = self._terminal.bare(tail, without)
        skipped = max(len(bare) - self._longest, 0)
        at = skipped + beginning(bare[skipped:], *heads)
        return back(at) if at < len(bare) else len(tail)


def _last(data: bytes, count: int) -> int:
    """Where the last `count` bytes of data begin that are no white space."""
    at = len(data)
    while count:
        at -= 1
        count -= data[at] not in WRAPPING
    return at
