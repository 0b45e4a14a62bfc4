"""Finds many byte strings at once, mostly by finding out quickly that there is none. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Heads = tuple[set[bytes], dict[bytes, list[bytes]]]  # see heads_of
    Needles = tuple[bytes, list[bytes]]  # see needles_of


# Case is levelled, and everything that wraps, separates or escapes is left out, so that few needles do. For forms of
# which too little were left, only what terminals and lines add is.
FOLD = bytes(c + 32 if 65 <= c <= 90 else c for c in range(256))
SIGNS = bytes(c for c in range(128) if not chr(c).isalnum())
WRAPPING = b' \t\r\n'
ENOUGH = 8  # characters of a needle: ordinary text hardly ever has them


def is_suspicious(data: bytes, needles: list[Needles]) -> bool:
    """Whether one of the forms that the needles stand for may be in data; says no only when none is."""
    for skipped, some in needles:
        folded = data.translate(FOLD, skipped)
        if any(needle in folded for needle in some):
            return True
    return False


def found(data: bytes, heads: dict[bytes, list[bytes]]) -> Iterator[tuple[int, int]]:
    """(start, end) of the longest form wherever one begins."""
    for head, forms in heads.items():
        at = data.find(head)
        while at >= 0:
            for form in forms:
                if data.startswith(form, at):
                    yield at, at + len(form)
                    break
            at = data.find(head, at + 1)


def needles_of(forms: list[bytes]) -> list[Needles]:
    """(what is skipped, few folded byte strings), one of which is in the folded text whenever a form is in the text."""
    from re import findall

    found: dict[bytes, list[bytes]] = {SIGNS: [], WRAPPING: []}
    for form in forms:
        if b'\x1b' in form:
            return [(b'', [b''])]
        folded = form.translate(FOLD, SIGNS)
        skipped = SIGNS if len(folded) >= 5 else WRAPPING
        if skipped is WRAPPING:
            folded = form.translate(FOLD, WRAPPING)
        if not _covered(folded, found[skipped]):
            # What no way of escaping touches serves many forms at once.
            run = max(findall(rb'[A-Za-z0-9]+', form) or [b''], key=len)
            found[skipped].append(run.lower() if len(run) >= ENOUGH else folded)
    return [(skipped, needles) for skipped, needles in found.items() if needles]


def _covered(folded: bytes, needles: list[bytes]) -> bool:
    """Whether a needle is in the text, or can be shortened so that it is: to an end of it that says enough."""
    if any(needle in folded for needle in needles):
        return True
    for at, needle in enumerate(needles):
        if len(needle) > ENOUGH:
            for cut in range(len(needle) - 1, ENOUGH - 1, -1) if needle[:ENOUGH] in folded else ():
                if needle[:cut] in folded:
                    needles[at] = needle[:cut]
                    return True
            for cut in range(1, len(needle) - ENOUGH + 1) if needle[-ENOUGH:] in folded else ():
                if needle[cut:] in folded:
                    needles[at] = needle[cut:]
                    return True
    return False


def heads_of(forms: set[bytes]) -> Heads:
    """(beginnings of up to 3 bytes, first 4 bytes → forms, longest first): one search serves many forms."""
    short: set[bytes] = set()
    long: dict[bytes, list[bytes]] = {}
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        short.update((form[:1], form[:2], form[:3]))
        long.setdefault(form[:4], []).append(form)
    return short, long


def beginning(data: bytes, short: set[bytes], long: dict[bytes, list[bytes]]) -> int:
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
