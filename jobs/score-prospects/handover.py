"""The day of the run, the file that the job before left for it, and how this run went.

The same file lies in score-prospects and push-outbound: a job folder is deployed alone.
"""

import csv
import json
import os
import sys
from datetime import datetime, timezone
from statistics import fmean
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Problem(Exception):
    """Something a person has to fix; the text says where, what, and what was expected."""


def day_of_run():
    """The day of the run's slot in London; by hand: today. A retry works on the day of its slot, never on "now"."""
    slot = os.environ.get('JOB_SCHEDULED_FOR')
    at = datetime.fromisoformat(slot.replace('Z', '+00:00')) if slot else datetime.now(timezone.utc)
    try:
        return at.astimezone(ZoneInfo('Europe/London')).date()
    except ZoneInfoNotFoundError:
        print('No time zone data on this machine: the UTC date is used. Install the package tzdata.', file=sys.stderr)
        return at.date()


def received(name, job, day, needed):
    """The rows that `job` wrote for `day`, column → text and `place`; they may be none, but never another day's.

    The scheduler hands over the newest file there is: when `job` failed today, that is yesterday's, and going on with
    it would contact the same people twice.
    """
    if not os.path.exists(name):
        raise Problem(f'{name}: no such file. Run {job} for {day} first; by hand, copy its {name} into this folder')
    with open(name, encoding='utf-8-sig', newline='') as file:
        table = csv.DictReader(file, strict=True)
        if not table.fieldnames:
            raise Problem(f'{name}: the file is empty, expected a header line. Run {job} for {day} again')
        if missing := [column for column in needed if column not in table.fieldnames]:
            raise Problem(f'{name}, line 1: no column {", ".join(missing)}; found {", ".join(table.fieldnames)[:200]}')
        rows = [dict(row, place=f'{name}, line {table.line_num}') for row in table]
    for row in rows:
        if row['contacted_on'] != day.isoformat():
            raise Problem(
                f'{row["place"]}: contacted_on is "{row["contacted_on"]}", expected {day}: this is another day\'s '
                f'file. See why {job} has not run for {day}, run it, then run this job again'
            )
    return rows


def number(row, column, low, high):
    """The cell as a whole number from `low` to `high`."""
    try:
        value = int(row[column])
    except (TypeError, ValueError):
        value = None
    if value is None or not low <= value <= high:
        raise Problem(f'{row["place"]}: {column} is "{row[column]}", expected a whole number from {low} to {high}')
    return value


def mean(values, digits=2):
    """The mean, rounded; None when there are no values."""
    values = list(values)
    return round(fmean(values), digits) if values else None


def record(**metrics):
    """Appends metrics (numbers, or counts by category) to $JOB_METRICS. One that is None had nothing to measure."""
    if path := os.environ.get('JOB_METRICS'):
        with open(path, 'a', encoding='utf-8') as file:
            file.write(json.dumps({name: value for name, value in metrics.items() if value is not None}) + '\n')


def run(job, main):
    """Runs `main`; a Problem becomes one plain line on stderr and exit code 3."""
    try:
        main()
    except Problem as problem:
        print(f'{job}: {problem}', file=sys.stderr)
        sys.exit(3)
