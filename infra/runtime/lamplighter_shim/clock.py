from __future__ import annotations

import time


def now_ms() -> int:
    """Milliseconds since 1970-01-01T00:00:00Z, for people and records."""
    return time.time_ns() // 1_000_000


def iso(ms: int) -> str:
    """`2026-11-20T07:00:00.123Z`; always with milliseconds, so that records of a log line up."""
    seconds, rest = divmod(int(ms), 1000)
    year, month, day, hour, minute, second = time.gmtime(seconds)[:6]
    return f'{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.{rest:03d}Z'


def span(ms: float) -> str:
    """A length of time for people: `15m`, `1h30m`, `2.5s`."""
    if ms < 60_000:
        return f'{ms / 1000:g}s'
    hours, minutes, seconds = ms // 3_600_000, ms // 60_000 % 60, ms // 1000 % 60
    return ''.join(f'{n}{unit}' for n, unit in ((hours, 'h'), (minutes, 'm'), (seconds, 's')) if n)
