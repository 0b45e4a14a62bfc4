"""Which day a run is for, and how it reports. Everything here also works by hand, without a scheduler."""

import json
import os
import sys
from collections import Counter
from datetime import date, datetime, timezone
from statistics import fmean
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rows import Problem

ZONE = 'Europe/London'  # the time zone of the schedule in job.yaml


def day_of_run(given=None):
    """The local date of the run's slot, or the date `given` by a person as YYYY-MM-DD; by hand: today.

    A late run, a retry and a backfill all work on the day they were scheduled for, never on "now".
    """
    if given:
        return exact_date(given, '--date')
    slot = os.environ.get('JOB_SCHEDULED_FOR')
    if not slot:
        return local_date(datetime.now(timezone.utc))
    try:
        at = datetime.fromisoformat(slot.replace('Z', '+00:00'))  # Python 3.10 does not know the Z
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Problem(f'JOB_SCHEDULED_FOR is "{slot}", expected an instant such as 2026-11-20T07:00:00Z')
    return local_date(at)


def exact_date(text, place):
    """YYYY-MM-DD → date."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # From 3.11 on fromisoformat takes 20261120 as well, which no other step of the chain writes.
    if day is None or day.isoformat() != text:
        raise Problem(f'{place}: "{text[:60]}" is not a date, expected YYYY-MM-DD such as 2026-11-20')
    return day


def local_date(at):
    try:
        return at.astimezone(ZoneInfo(ZONE)).date()
    except ZoneInfoNotFoundError:
        day = at.astimezone(timezone.utc).date()
        print(
            f'No time zone data on this machine, so the UTC date {day} is used. It is the same day in {ZONE} '
            'except from 23:00 to 24:00 UTC in summer. Install the package tzdata to be exact.',
            file=sys.stderr,
        )
        return day


def in_words(day):
    """Friday 20 November 2026"""
    return f'{day:%A} {day.day} {day:%B %Y}'


def record(**metrics):
    """Appends metrics (numbers, or counts by category) to $JOB_METRICS. One that is None had nothing to measure."""
    path = os.environ.get('JOB_METRICS')
    if path:
        with open(path, 'a', encoding='utf-8') as file:
            file.write(json.dumps({name: value for name, value in metrics.items() if value is not None}) + '\n')


def count(values):
    """How often each value occurs, most frequent first; None when there are no values."""
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))) or None


def mean(values, digits=2):
    """The mean, rounded; None when there are no values."""
    values = list(values)
    return round(fmean(values), digits) if values else None


def run(job, main):
    """Runs `main`; a Problem becomes one plain line on stderr and exit code 3."""
    try:
        main()
    except Problem as problem:
        print(f'{job}: {problem}', file=sys.stderr)
        sys.exit(3)
