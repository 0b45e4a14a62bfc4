import time


def now_ms():
    """Milliseconds since 1970-01-01T00:00:00Z, for people and records."""
    return time.time_ns() // 1_000_000


def iso(ms):
    """`2026-11-20T07:00:00.123Z`; always with milliseconds, so that records of a log line up."""
    seconds, rest = divmod(int(ms), 1000)
    return '%04d-%02d-%02dT%02d:%02d:%02d.%03dZ' % (*time.gmtime(seconds)[:6], rest)


def span(ms):
    """A length of time for people: `15m`, `1h30m`, `2.5s`."""
    if ms < 60_000:
        return f'{ms / 1000:g}s'
    hours, minutes, seconds = ms // 3_600_000, ms // 60_000 % 60, ms // 1000 % 60
    return ''.join(f'{n}{unit}' for n, unit in ((hours, 'h'), (minutes, 'm'), (seconds, 's')) if n)
