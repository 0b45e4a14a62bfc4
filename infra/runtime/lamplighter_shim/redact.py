"""Takes secrets out of a stream of bytes, before anything of it is stored. Pure."""

MASK = b'***'
SHORTEST_SECRET = 4
# Case, the two alphabets of base64 and everything that wraps or separates are levelled, so that few needles do.
FOLD = bytes(b'+/'[b'-_'.index(c)] if c in b'-_' else c + 32 if 65 <= c <= 90 else c for c in range(256))
SKIPPED = b':\\ \t\r\n'
WRAPPING = b' \t\r\n'


class Redactor:
    """Replaces every form of every secret (see secretforms) by `***`, also over the borders of chunks, also with
    terminal escape sequences inside. Where forms overlap, all that any of them covers goes.

    `secrets` is name → value. `short` lists the names of those too short to be told from ordinary text.
    """

    def __init__(self, secrets):
        self.short = sorted(name for name, value in secrets.items() if len(value) < SHORTEST_SECRET)
        self._forms, self._wrapped, self._needles = [], [], []
        self._held, self._covered = b'', 0
        values = {value for value in secrets.values() if len(value) >= SHORTEST_SECRET}
        if not values:
            return
        from .secretforms import forms_of
        from .terminal import Terminal

        self._terminal = Terminal()
        every, wrapped = set(), set()
        for value in values:
            more, may_wrap = forms_of(value)
            every |= more
            wrapped |= may_wrap
        self._forms, self._wrapped = _prepared(every), _prepared(wrapped)
        self._needles = _needles(sorted(every, key=lambda form: (len(form), form)))
        self._longest = max(map(len, every))
        self._reach = 4 * self._longest + 4096
        self._raw_heads, self._wrapped_heads = _heads(every), _heads(wrapped)

    def feed(self, data):
        """Takes a chunk; returns what can be let go. Holds back only what may turn out to begin a secret."""
        if not self._forms:
            return data
        whole = self._held + data
        return self._cut(whole, self._spans(whole), self._hold(whole))

    def finish(self):
        """Returns what was held back; the stream is over."""
        return self._cut(self._held, self._spans(self._held), len(self._held))

    def held(self):
        """What `finish` would return now; the stream may go on."""
        return self._apart(self._held, self._covered)

    def text(self, text):
        """A text without secrets, apart from the stream."""
        return self.whole(text.encode('utf-8', 'surrogateescape')).decode('utf-8', 'replace')

    def whole(self, data):
        """Bytes without secrets, apart from the stream."""
        return self._apart(data, 0)

    def _apart(self, held, covered):
        alone = object.__new__(Redactor)
        alone.__dict__.update(self.__dict__, _held=held, _covered=covered)
        return alone.finish() if self._forms else held

    def _cut(self, whole, spans, keep):
        """Masks the spans (start, end) that begin before `keep`, and holds back what follows it."""
        if not spans and not self._covered:
            self._held = whole[keep:]
            return whole[:keep] if self._held else whole
        out, at = [], self._covered
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

    def _spans(self, whole):
        escaped = b'\x1b' in whole
        views = [whole, self._terminal.bare(whole, 'escapes')[0]] if escaped else [whole]
        if not any(self._suspicious(view) for view in views):
            return []
        spans = list(_found(whole, self._forms))
        if escaped or b'\r' in whole:
            bare, back = self._terminal.bare(whole, 'returns')
            spans += ((back(start), back(end - 1) + 1) for start, end in _found(bare, self._forms))
        bare, back = self._terminal.bare(whole, 'lines')
        spans += ((back(start), back(end - 1) + 1) for start, end in _found(bare, self._wrapped))
        return spans

    def _suspicious(self, view):
        folded = view.translate(FOLD, SKIPPED)
        return any(needle in folded for needle in self._needles)

    def _hold(self, whole):
        """Where the earliest beginning of a form is that the end of `whole` cuts off."""
        short = whole[max(len(whole) - self._longest, 0) :]
        keep = len(whole) - len(short) + _beginning(short, *self._raw_heads)
        first = max(len(whole) - self._reach, 0)
        tail = whole[first:]
        escaped = b'\x1b' in tail
        if escaped or b'\r' in tail:
            keep = min(keep, first + self._hold_bare(tail, self._raw_heads, 'returns'))
        # Almost always the text without line ends settles it, and the dearer way back into the raw text is not needed.
        flat = tail.translate(None, WRAPPING)[-self._longest :]
        if self._wrapped and (escaped or _beginning(flat, *self._wrapped_heads) < len(flat)):
            keep = min(keep, first + self._hold_bare(tail, self._wrapped_heads, 'lines'))
        return keep

    def _hold_bare(self, tail, heads, without):
        bare, back = self._terminal.bare(tail, without)
        skipped = max(len(bare) - self._longest, 0)
        at = skipped + _beginning(bare[skipped:], *heads)
        return back(at) if at < len(bare) else len(tail)


def _prepared(forms):
    """(form, step) of each form: the step is how far on the next match can begin that overlaps one."""
    steps = []
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        steps.append((form, next(n for n in range(1, len(form) + 1) if form.startswith(form[n:]))))
    return steps


def _found(data, forms):
    for form, step in forms:
        at = data.find(form)
        while at >= 0:
            yield at, at + len(form)
            at = data.find(form, at + step)


def _needles(forms):
    """Few folded byte strings one of which is in the folded text whenever a form is in the text."""
    from re import findall

    needles = []
    for form in forms:
        folded = form.translate(FOLD, SKIPPED)
        if b'\x1b' in form or len(folded) < 3:
            return [b'']
        if not any(needle in folded for needle in needles):
            run = max(findall(rb'[a-z0-9]+', folded) or [b''], key=len)
            needles.append(run if len(run) >= 8 else folded)
    return needles


def _heads(forms):
    """(beginnings of up to 3 bytes, first 4 bytes → forms) for `_beginning`."""
    short, long = set(), {}
    for form in forms:
        short.update((form[:1], form[:2], form[:3]))
        long.setdefault(form[:4], []).append(form)
    return short, long


def _beginning(data, short, long):
    """The earliest position from which all the rest of data begins, and does not complete, a form; else its end."""
    size = len(data)
    first = next((n for n in range(max(size - 3, 0), size) if data[n:] in short), size)
    for head, forms in long.items():
        at = data.find(head, 0, size)
        while 0 <= at < first:
            rest = data[at:]
            if any(len(form) > len(rest) and form.startswith(rest) for form in forms):
                first = at
            at = data.find(head, at + 1)
    return first
