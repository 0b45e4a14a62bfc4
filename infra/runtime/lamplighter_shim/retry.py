"""When to ask storage again. Pure: no clock, no dice."""

from __future__ import annotations

LONGEST_MS = 5_000


# Conflicts that say something about the blob. A 409 or 412 with any other code is storage's trouble, and passes.
ANSWERS = {
    'AppendPositionConditionNotMet',
    'BlobAlreadyExists',
    'BlobArchived',
    'BlobImmutableDueToPolicy',
    'BlockCountExceedsLimit',
    'ConditionNotMet',
    'InvalidBlobType',
    'MaxBlobSizeConditionNotMet',
}


def retryable(status: int, code: str) -> bool:
    if status in (409, 412):
        return code not in ANSWERS
    return status in (408, 429, 500, 502, 503, 504)


def delay_ms(tries: int, chance: float, retry_after: str | None = None) -> float:
    """Pause before try number `tries` + 1: doubling from 100 ms, half of it by `chance` (0–1), never above 5 s.

    `retry_after` is the header's text in seconds; a longer wish than 5 s is cut, as deliverMs is the real limit.
    """
    if retry_after and retry_after.isdigit():
        return min(int(retry_after) * 1000, LONGEST_MS)
    full = min(100 * (1 << min(tries - 1, 10)), LONGEST_MS)
    return full * (0.5 + chance / 2)
