"""Finds the prospects of one day in a CRM export (CSV)."""

import csv
from datetime import date

from rows import Problem, Row, check_columns, decode, parse
from slot import exact_date

# Without `duration` and `y`: a live CRM learns both only from the call, an old export has them.
NEEDED = (
    'id contacted_on age job marital education default balance housing loan contact campaign pdays previous poutcome'
).split()

# The sample crm.csv holds three weeks, Monday to Sunday; any other day is given the day of the cycle it falls on.
SAMPLE_START = date(2026, 1, 5)
SAMPLE_DAYS = 21


def sample_day(day):
    """The day of the sample that stands for `day`: three weeks apart is the same, weekdays stay weekdays."""
    return date.fromordinal(SAMPLE_START.toordinal() + (day - SAMPLE_START).days % SAMPLE_DAYS)


def prospects_on(data, name, day):
    """The columns of the export and its rows with contacted_on == `day`, in the export's order.

    `data` is the whole file as bytes: searching 4 MB for the date takes a few milliseconds, parsing it as CSV a
    hundred. An empty day is believed only after every date of the file was read.
    Raises Problem for a wrong header, a wrong row of that day, or, on an empty day, a wrong date anywhere.
    """
    if b'"' in data or b'\n' not in data:
        # A quoted cell may hold a line break or a look-alike date: only the CSV parser can report.
        rows = [row for row in parse(decode(data, name), name, NEEDED) if is_on(row, day)]
    else:
        rows = list(search(data, name, day))
    if not rows:
        check_empty_day(data, name, day)
    for row in rows:
        check(row)
    return columns_of(data, name), rows


def columns_of(data, name):
    line = data[: end_of_line(data, 0)]
    columns = next(csv.reader([decode(line, name)]), [])
    check_columns(columns, NEEDED, name)
    return columns


def search(data, name, day):
    """The same rows as a full parse yields, when no cell is quoted and so a line is a row."""
    columns = columns_of(data, name)
    wanted = day.isoformat().encode()
    line, counted, at = 1, 0, data.find(wanted)
    while at >= 0:
        start = data.rfind(b'\n', 0, at) + 1
        end = end_of_line(data, at)
        line += data.count(b'\n', counted, start)
        counted = start
        cells = decode(data[start:end], name, line).rstrip('\r').split(',')
        row = Row(columns, cells, f'{name}, line {line}')
        if is_on(row, day):
            yield row
        at = data.find(wanted, end)


def end_of_line(data, at):
    end = data.find(b'\n', at)
    return len(data) if end < 0 else end


def is_on(row, day):
    text = row['contacted_on']
    if text != day.isoformat() and text.strip().startswith(day.isoformat()):
        raise Problem(f'{row.place}: contacted_on is "{text[:60]}", expected a date without time such as {day}')
    return text == day.isoformat()


def check_empty_day(data, name, day):
    """No row of the day may mean that dates are written another way: then "none today" would be a lie."""
    rows = parse(decode(data, name), name, NEEDED)
    days = [exact_date(row['contacted_on'], f'{row.place}, contacted_on') for row in rows]
    if not days:
        raise Problem(f'{name}: a header but no rows, expected prospects. Export the file again')
    print(f'{name} covers {min(days)} to {max(days)} and has no one for {day}.')


def check(row):
    """Refuses a row that the next steps could not use."""
    for column in ('id', 'job', 'contact', 'poutcome', 'housing', 'loan', 'default'):
        row.text(column)
    row.number('age', 0, 130)
    row.number('balance', -1_000_000_000, 1_000_000_000)
    row.number('campaign', 0, 100_000)
    row.number('pdays', -1, 100_000)  # -1: never contacted before
    row.number('previous', 0, 100_000)
