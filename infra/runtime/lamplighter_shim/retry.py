"""When to ask storage again. Pure: no clock, no dice."""

LONGEST_MS = 5_000


def retryable(status):
    return status in (408, 429, 500, 503)


def may_have_landed(status):
    """A 500, 503 or 408 can come after the work was done; a 429 was refused at the door."""
    return status in (408, 500, 503)


def delay_ms(tries, chance, retry_after=None):
    """Pause before try number `tries` + 1: doubling from 100 ms, half of it by `chance` (0–1), never above 5 s.

    `retry_after` is the header's text in seconds; a longer wish than 5 s is cut, as deliverMs is the real limit.
    """
    if retry_after and retry_after.isdigit():
        return min(int(retry_after) * 1000, LONGEST_MS)
    full = min(100 * 2 ** min(tries - 1, 10), LONGEST_MS)
    return full * (0.5 + chance / 2)
